/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_FTX_IN_INT_H
#define GX_FTX_IN_INT_H
/* The state of a stream that is being taken apart. */
#include <gx/charset.h>
#include "libgxmapi/ftx/ftx-int.h"

enum { FTX_PART = 16384 };

/* What is read next; each step takes what it can get and waits for the rest. */
enum gx_ftx__step {
	FTX_TAG,        /* a marker, or type and id */
	FTX_NAME_SET,   /* set and kind of a named property */
	FTX_NAME_LID,
	FTX_NAME_TEXT,
	FTX_FIXED,      /* a value of fixed size, or one of several */
	FTX_COUNT,      /* of a multi-value */
	FTX_LENGTH,
	FTX_VALUE,      /* bytes of a value that is kept until it is whole */
	FTX_STREAM,     /* bytes of a value that goes on in parts */
	FTX_STREAM_END,
};

/* What is left of the caller's bytes. */
struct gx_ftx__src {
	const uint8_t *p;
	size_t n;
};

struct gx_ftx_in {
	struct gx_ftx_in_opts o;
	const struct gx_ftx_in_ops *ops;
	void *ctx;
	struct gx_ftx_grammar g;
	enum gx_ftx__step step;
	uint8_t hold[20];       /* an atom that came in pieces */
	size_t held;
	struct gx_push buf;     /* a name, a value, or a part of a text that came in pieces */
	struct gx_arena *a;     /* of the element */
	struct gx_ftx_prop p;
	struct gx_propname name;
	char name_text[GX_FTX_NAME_MAX / 2 * 3 + 1];
	uint8_t kind;           /* of the value, or of one of several */
	bool multi, meta;
	uint32_t left;          /* bytes of the value that are to come */
	uint32_t count;         /* of the values of a multi-value */
	uint32_t multi_left;    /* bytes that it may still have */
	union gx_value *v;      /* the values so far */
	size_t nv, cap;
	uint64_t offset, start; /* of the next byte, of the element */
	uint64_t elements;
	int err;
	struct gx_strbuf text;
};

/* Sticky error with a text that names the element's place. */
int gx_ftx__in_fail(struct gx_ftx_in *in, int err, const char *fmt, ...) GX_PRINTF(3, 4);
/* An atom of n bytes; NULL when it is not all there yet. Valid until the next call. */
const uint8_t *gx_ftx__in_atom(struct gx_ftx_in *in, struct gx_ftx__src *s, size_t n);
/*
 * Steps of the value. 1: something was done; 0: more bytes are needed; 2: an event wants to stop; or GX_E_*.
 */
int gx_ftx__in_value(struct gx_ftx_in *in, struct gx_ftx__src *s);
/* After type, id and name: what comes first of the value. */
int gx_ftx__in_value_begin(struct gx_ftx_in *in);

enum { FTX_MORE = 0, FTX_STEP = 1, FTX_STOP = 2 };

#endif
