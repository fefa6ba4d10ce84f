/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FTX_OUT_INT_H
#define GX_FTX_OUT_INT_H
/* The state of a stream that is being made. */
#include <gx/charset.h>
#include "libgxmapi/ftx/ftx-int.h"

enum { FTX_CHUNK = 16384 };

/* What waits to be handed out. */
enum gx_ftx__seg_kind { FTX_ATOM, FTX_BYTES, FTX_READER };
struct gx_ftx__seg {
	uint32_t len;
	uint8_t kind;
};

/* A value that a reader gives, one at a time. */
struct gx_ftx__large {
	struct gx_ftx_reader r;
	uint32_t cp;            /* 0: bytes as they are */
	uint64_t off;           /* read so far */
	uint8_t chunk[FTX_CHUNK + 4]; /* UTF-8, with what the last part left over in front */
	size_t held;
	struct gx_arena *a;     /* of the part below */
	struct gx_bin part;     /* converted, not yet handed out */
};

struct gx_ftx_out {
	struct gx_ftx_out_opts o;
	struct gx_ftx_grammar g;
	struct gx_push bytes;   /* of atoms and bytes, in order */
	size_t pos;             /* handed out of them */
	struct gx_ftx__seg *segs;
	size_t head, nsegs, cap;
	uint32_t taken;         /* of the first segment */
	struct gx_arena *a;     /* for one element */
	struct gx_ftx__large *large; /* made when one is needed */
	uint64_t offset;
	bool ended;
	int err;
	struct gx_strbuf text;
};

/* The last @len bytes pushed, or those of the reader, are a segment. */
int gx_ftx__seg_add(struct gx_ftx_out *out, uint8_t kind, uint32_t len);
/* Is the element allowed here? Goes on to it. */
int gx_ftx__admit(struct gx_ftx_out *out, gx_proptag_t tag);
/* The type as sent, and for strings the code page (0 for others). */
uint16_t gx_ftx__wire_type(const struct gx_ftx_out *out, uint16_t type, uint32_t *ret_cp);
/* Type, id and name: the atom in front of each value. */
int gx_ftx__definition(struct gx_ftx_out *out, gx_proptag_t tag, uint16_t wire_type, const struct gx_propname *name);
/* An atom: a length or a count. */
void gx_ftx__length(struct gx_ftx_out *out, size_t n);
/* The next bytes of the value, up to n of the @left that were announced. GX_E_STATE: it is not what it was. */
int gx_ftx__large_read(struct gx_ftx__large *l, uint8_t *buf, size_t n, size_t left, size_t *ret_n);
bool gx_ftx__large_busy(const struct gx_ftx_out *out);

#endif
