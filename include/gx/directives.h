/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIRECTIVES_H
#define GX_DIRECTIVES_H
/**
 * @file directives.h
 * The directives that the programs know, in groups for gx_conf_new(). Thread class: immutable.
 */
#include <gx/conf.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	GX_DIRECTIVES_GENERAL, /**< directory, names, TLS, limits */
	GX_DIRECTIVES_GROMOXD,
	GX_DIRECTIVES_IMAP,
	GX_DIRECTIVES_SMTP,    /**< LMTP and SMTP reception */
	GX_DIRECTIVES_QUEUE,   /**< the journal between reception and delivery */
	GX_DIRECTIVES_DELIVERY,
	GX_DIRECTIVES_STORE,
	GX_DIRECTIVES_EXMDB,   /**< the exmdb protocol's server */
	GX_DIRECTIVES_ISTORE,
	GX_DIRECTIVES_COUNT
};
/** A table for gx_conf_new(); NULL outside the list. Static. */
GX_API const struct gx_conf_key *gx_directives(unsigned group);

#ifdef __cplusplus
}
#endif
#endif
