/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <inttypes.h>
#include <gx/restr.h>
#include "libgxmapi/prop-int.h"

void gx_prop__print_tag(struct gx_strbuf *b, gx_proptag_t tag)
{
	const char *name = gx_proptag_name(tag);
	if (name == NULL || GX_PROP_IS_NAMED(tag))
		gx_strbuf_printf(b, "0x%08" PRIx32, tag);
	else
		gx_strbuf_adds(b, name);
}

static const char *relop_text(uint8_t relop)
{
	static const char *const texts[] = {"<", "<=", ">", ">=", "=", "!=", "~"};
	if (relop == RELOP_MEMBER_OF_DL)
		return "member-of";
	return relop < sizeof(texts) / sizeof(texts[0]) ? texts[relop] : "?";
}

static void print_value(struct gx_strbuf *b, const struct gx_propval *pv)
{
	gx_value_print(b, GX_PROP_TYPE(pv->tag), &pv->v);
}

static void print_content(struct gx_strbuf *b, const struct gx_restr *r)
{
	static const char *const levels[] = {"is", "contains", "starts-with"};
	gx_prop__print_tag(b, r->u.content.tag);
	gx_strbuf_printf(b, " %s", r->u.content.level < 3 ? levels[r->u.content.level] : "?");
	if (r->u.content.flags & FL_IGNORECASE)
		gx_strbuf_adds(b, "/i");
	if (r->u.content.flags & FL_IGNORENONSPACE)
		gx_strbuf_adds(b, "/n");
	if (r->u.content.flags & FL_LOOSE)
		gx_strbuf_adds(b, "/l");
	gx_strbuf_addc(b, ' ');
	print_value(b, &r->u.content.val);
}

static void print(struct gx_strbuf *b, const struct gx_restr *r, unsigned depth);

static void print_list(struct gx_strbuf *b, const struct gx_restr *r, unsigned depth)
{
	gx_strbuf_adds(b, r->type == RES_AND ? "and(" : "or(");
	for (uint32_t i = 0; i < r->u.list.count; ++i) {
		if (i != 0)
			gx_strbuf_adds(b, ", ");
		print(b, &r->u.list.v[i], depth + 1);
	}
	gx_strbuf_addc(b, ')');
}

static void print_comment(struct gx_strbuf *b, const struct gx_restr *r, unsigned depth)
{
	gx_strbuf_adds(b, r->type == RES_COMMENT ? "comment(" : "annotation(");
	for (unsigned i = 0; i < r->u.comment.count; ++i) {
		gx_prop__print_tag(b, r->u.comment.v[i].tag);
		gx_strbuf_addc(b, '=');
		print_value(b, &r->u.comment.v[i]);
		gx_strbuf_adds(b, ", ");
	}
	print(b, r->u.comment.sub, depth + 1);
	gx_strbuf_addc(b, ')');
}

static void print_leaf(struct gx_strbuf *b, const struct gx_restr *r)
{
	switch (r->type) {
	case RES_PROPERTY:
		gx_prop__print_tag(b, r->u.prop.tag);
		gx_strbuf_printf(b, " %s ", relop_text(r->u.prop.relop));
		print_value(b, &r->u.prop.val);
		break;
	case RES_COMPAREPROPS:
		gx_prop__print_tag(b, r->u.cmp.tag1);
		gx_strbuf_printf(b, " %s ", relop_text(r->u.cmp.relop));
		gx_prop__print_tag(b, r->u.cmp.tag2);
		break;
	case RES_BITMASK:
		gx_prop__print_tag(b, r->u.bitmask.tag);
		gx_strbuf_printf(b, " & 0x%" PRIx32 " %s 0", r->u.bitmask.mask, r->u.bitmask.relop == BMR_EQZ ? "=" : "!=");
		break;
	case RES_SIZE:
		gx_strbuf_adds(b, "size(");
		gx_prop__print_tag(b, r->u.size.tag);
		gx_strbuf_printf(b, ") %s %" PRIu32, relop_text(r->u.size.relop), r->u.size.size);
		break;
	case RES_EXIST:
		gx_strbuf_adds(b, "exist(");
		gx_prop__print_tag(b, r->u.exist.tag);
		gx_strbuf_addc(b, ')');
		break;
	case RES_NULL:
		gx_strbuf_adds(b, "null");
		break;
	default:
		gx_strbuf_printf(b, "?0x%02x", r->type);
		break;
	}
}

static void print(struct gx_strbuf *b, const struct gx_restr *r, unsigned depth)
{
	if (r == NULL || depth >= GX_RESTR_MAX_DEPTH) {
		gx_strbuf_adds(b, r == NULL ? "-" : "...");
		return;
	}
	switch (r->type) {
	case RES_AND:
	case RES_OR:
		print_list(b, r, depth);
		return;
	case RES_NOT:
		gx_strbuf_adds(b, "not(");
		print(b, r->u.not_.sub, depth + 1);
		gx_strbuf_addc(b, ')');
		return;
	case RES_CONTENT:
		print_content(b, r);
		return;
	case RES_SUBRESTRICTION:
		gx_strbuf_adds(b, "any ");
		gx_prop__print_tag(b, r->u.sub.subobject);
		gx_strbuf_addc(b, '(');
		print(b, r->u.sub.sub, depth + 1);
		gx_strbuf_addc(b, ')');
		return;
	case RES_COMMENT:
	case RES_ANNOTATION:
		print_comment(b, r, depth);
		return;
	case RES_COUNT:
		gx_strbuf_printf(b, "first %" PRIu32 "(", r->u.count.count);
		print(b, r->u.count.sub, depth + 1);
		gx_strbuf_addc(b, ')');
		return;
	default:
		print_leaf(b, r);
	}
}

void gx_restr_print(struct gx_strbuf *b, const struct gx_restr *r)
{
	print(b, r, 0);
}
