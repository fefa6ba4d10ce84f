/* SPDX-License-Identifier: Apache-2.0 */
/* Values of properties of streams that are structures: tables made from defs/ftx.def. */
#include <config.h>
#include <gx/ftx.h>
#include "libgxmapi/ftx-table.h"
