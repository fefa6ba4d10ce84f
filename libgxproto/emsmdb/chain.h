/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EMSMDB_CHAIN_H
#define GX_EMSMDB_CHAIN_H
/* Answers of more than one buffer: the last operation goes on by itself, [MS-OXCRPC] 3.1.4.2.1.2 */
#include "libgxproto/emsmdb/emsmdb-int.h"

struct gx_ems_chain {
	struct gx_rop_request q;     /* q.desc NULL: nothing was done */
	void *response;
	bool failed;
};
/* Whether there is more where the answer came from; the request is then what asks for it. */
bool gx_chain__goes_on(struct gx_ems_chain *c);
bool gx_chain__client_may(const struct gx_ems_session *s);

#endif
