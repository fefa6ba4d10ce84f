/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DISCO_XMLIN_H
#define GX_DISCO_XMLIN_H
/* XML of others. */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <gx/arena.h>

/* NULL for what is none, and for what has a document type. */
xmlDocPtr gx_disco__xml_parse(struct gx_bin body);
/* The first element of this name, whatever its namespace; NULL when there is none, also of NULL. */
xmlNodePtr gx_disco__xml_child(xmlNodePtr parent, const char *name);
/* Text of a child without white space around; *ret_text stays when there is none, or it is empty. */
int gx_disco__xml_text(xmlNodePtr parent, const char *name, struct gx_arena *a, const char **ret_text);

#endif
