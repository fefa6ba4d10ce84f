/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_PROGRESS_H
#define GX_TOOLS_PROGRESS_H
/* One line at the bottom of a terminal that says how far long work is; nothing where there is none. */
#include <stdbool.h>
#include <gx/base.h>

/* Shows the line in place of the one before. stderr must be a terminal and stdout not be the same pipe. */
void progress_show(const char *fmt, ...) GX_PRINTF(1, 2);
/* Takes it away; before anything else is written. */
void progress_clear(void);
/* No progress from now on, as -q wants it. */
void progress_off(void);

#endif
