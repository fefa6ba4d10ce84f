/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of streams, [MS-OXCFXICS] 2.2.4.2: an automaton for each frame, and a stack of them. */
#include <config.h>
#include <assert.h>
#include <string.h>
#include "libgxmapi/ftx/ftx-int.h"
#include "libgxmapi/prop-int.h"
#include "libgxmapi/ftx-grammar-table.h"

const struct gx_ftx__special *gx_ftx__special(uint16_t id)
{
	/* nearly all properties are elsewhere */
	if ((id < 0x4000 || id > 0x407f) && (id < 0x6790 || id > 0x67ff))
		return NULL;
	size_t lo = 0, hi = FTX_SPECIALS;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		uint16_t have = GX_PROP_ID(specials[mid].wire);
		if (have == id)
			return &specials[mid];
		if (have < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool gx_ftx_is_marker(gx_proptag_t tag)
{
	const struct gx_ftx__special *s = gx_ftx__special(GX_PROP_ID(tag));
	return s != NULL && s->marker && s->wire == tag;
}

const char *gx_ftx_name(gx_proptag_t tag)
{
	const struct gx_ftx__special *s = gx_ftx__special(GX_PROP_ID(tag));
	return s == NULL || (s->marker && s->wire != tag) ? NULL : s->name;
}

bool gx_ftx__del_value(uint32_t tag)
{
	for (size_t i = 0; i < sizeof(del_values) / sizeof(del_values[0]); ++i)
		if (del_values[i] == tag)
			return true;
	return false;
}

int gx_ftx_root(unsigned source_operation, unsigned object)
{
	static const uint8_t contents[] = {
		0, GX_FTX_FOLDER_CONTENT, GX_FTX_MESSAGE_CONTENT, GX_FTX_ATTACHMENT_CONTENT,
	};
	switch (source_operation) {
	case GX_FTX_FROM_COPY_TO:
	case GX_FTX_FROM_COPY_PROPERTIES:
		return object < sizeof(contents) ? contents[object] : 0;
	case GX_FTX_FROM_COPY_MESSAGES:
		return object == GX_FTX_OBJ_FOLDER ? GX_FTX_MESSAGE_LIST : 0;
	case GX_FTX_FROM_COPY_FOLDER:
		return object == GX_FTX_OBJ_FOLDER ? GX_FTX_TOP_FOLDER : 0;
	default:
		return 0;
	}
}

int gx_ftx_grammar_init(struct gx_ftx_grammar *g, int root, uint32_t send_options, unsigned max_depth)
{
	if (root <= GX_FTX_ANY || root >= GX_FTX_ROOTS)
		return GX_E_INVAL;
	*g = (struct gx_ftx_grammar){
		.state = root_states[root - 1],
		.max_depth = max_depth == 0 || max_depth > GX_FTX_DEPTH_MAX ? GX_FTX_DEPTH_MAX : (uint8_t)max_depth,
		.recover = (send_options & GX_FTX_SEND_RECOVER_MODE) != 0,
		.partial = (send_options & GX_FTX_SEND_PARTIAL_ITEM) != 0,
	};
	return 0;
}

static unsigned symbol_of(gx_proptag_t tag)
{
	const struct gx_ftx__special *s = gx_ftx__special(GX_PROP_ID(tag));
	if (s != NULL)
		return s->symbol;
	return tag == PidTagAttachNumber ? SYM_PidTagAttachNumber : SYM_propValue;
}

/* Out of the frames that an error breaks off, to one that may have errorInfo. */
static bool unwind(struct gx_ftx_grammar *g)
{
	unsigned depth = g->depth, state = g->state;
	while (steps[state][SYM_FXErrorInfo].next == 0) {
		if (depth == 0)
			return false;
		/* behind the frame that was left: a list of messages admits an error there too */
		state = g->stack[--depth];
	}
	g->depth = (uint8_t)depth;
	g->state = (uint8_t)state;
	return true;
}

static bool admitted(const struct gx_ftx_grammar *g, unsigned symbol)
{
	switch (symbol) {
	case SYM_FXErrorInfo: return g->recover;
	case SYM_IncrSyncGroupInfo: return g->partial;
	default: return true;
	}
}

int gx_ftx_grammar_step(struct gx_ftx_grammar *g, gx_proptag_t tag)
{
	unsigned symbol = symbol_of(tag);
	if (!admitted(g, symbol) || (symbol == SYM_FXErrorInfo && !unwind(g)))
		return GX_E_FORMAT;
	uint8_t next = steps[g->state][symbol].next, call = steps[g->state][symbol].call;
	if (next == 0)
		return GX_E_FORMAT;
	if (next == FTX_POP) {
		assert(g->depth > 0);
		g->state = g->stack[--g->depth];
	} else if (call != 0) {
		if (g->depth >= g->max_depth)
			return GX_E_DEPTH;
		g->stack[g->depth++] = next;
		g->state = call;
	} else {
		g->state = next;
	}
	return 0;
}

bool gx_ftx_grammar_complete(const struct gx_ftx_grammar *g)
{
	return g->depth == 0 && states[g->state].accept;
}

void gx_ftx_grammar_expected(const struct gx_ftx_grammar *g, struct gx_strbuf *b)
{
	const char *between = "";
	for (unsigned s = 0; s < SYM_COUNT; ++s) {
		if (steps[g->state][s].next == 0 || !admitted(g, s))
			continue;
		/* it is a property like others where those may stand */
		if (s == SYM_PidTagAttachNumber && steps[g->state][SYM_propValue].next != 0)
			continue;
		gx_strbuf_adds(b, between);
		gx_strbuf_adds(b, symbol_names[s]);
		between = ", ";
	}
	if (gx_ftx_grammar_complete(g)) {
		gx_strbuf_adds(b, between);
		gx_strbuf_adds(b, "the end");
	}
	gx_strbuf_printf(b, " in %s", frame_names[states[g->state].frame]);
}

void gx_ftx__print_tag(struct gx_strbuf *b, gx_proptag_t tag)
{
	const char *name = gx_ftx_name(tag);
	if (name != NULL)
		gx_strbuf_adds(b, name);
	else
		gx_prop__print_tag(b, tag);
}

void gx_ftx__unexpected(struct gx_strbuf *b, const struct gx_ftx_grammar *g, gx_proptag_t found)
{
	gx_strbuf_adds(b, "expected ");
	gx_ftx_grammar_expected(g, b);
	gx_strbuf_adds(b, ", found ");
	gx_ftx__print_tag(b, found);
}

struct gx_bin gx_ftx_error_aux(const struct gx_extended_error_info *e)
{
	if (e->aux_bytes_count == 0 || e->aux_bytes_offset < GX_FTX_ERROR_AUX_OFFSET)
		return (struct gx_bin){0};
	size_t off = e->aux_bytes_offset - GX_FTX_ERROR_AUX_OFFSET;
	if (off > e->rest.len || e->aux_bytes_count > e->rest.len - off)
		return (struct gx_bin){0};
	return (struct gx_bin){e->rest.data + off, e->aux_bytes_count};
}
