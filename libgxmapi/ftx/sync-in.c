/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of synchronisation as a client takes them: elements become messages, folders, sets and a state. */
#include <config.h>
#include <stdlib.h>
#include <gx/syncin.h>

#define VALUE_MOST (256U << 20)
#define MESSAGE_MOST ((size_t)1 << 30)

/* What properties belong to. */
enum place { NOWHERE, PROGRESS, HEAD, MESSAGE, RECIPIENT, ATTACHMENT, STATE, FAILURE };

/* A message, and the attachment of it that is being read. */
struct frame {
	struct gx_msgobj *msg;
	size_t att;
};

struct gx_syncin {
	struct gx_syncin_opts o;
	const struct gx_syncin_ops *ops;
	void *ctx;
	struct gx_ftx_in *in;
	struct gx_arena *a;          /* for the change of the moment, and for the state */
	enum place place;
	bool pending;                /* a change that is not handed out yet */
	struct gx_proplist head;
	struct frame stack[GX_FTX_DEPTH_MAX];
	unsigned depth;              /* index of the frame in use */
	struct gx_syncin_state state;
};

gx_proptag_t gx_syncin_state_tag(int which)
{
	static const gx_proptag_t v[GX_SYNCIN_SETS] = {
		[GX_SYNCIN_GIVEN] = MetaTagIdsetGiven, [GX_SYNCIN_SEEN] = MetaTagCnsetSeen, [GX_SYNCIN_SEEN_FAI] = MetaTagCnsetSeenFAI,
		[GX_SYNCIN_READ] = MetaTagCnsetRead,
	};
	return which < 0 || which >= GX_SYNCIN_SETS ? 0 : v[which];
}

/* ---- Changes ---- */

static bool is_associated(const struct gx_proplist *l)
{
	const struct gx_propval *pv = gx_proplist_get(l, PidTagAssociated);
	return pv != NULL && pv->v.b;
}

/* What was begun is complete when something else begins. */
static int hand_out(struct gx_syncin *s)
{
	s->place = NOWHERE;
	if (!s->pending)
		return 0;
	s->pending = false;
	if (s->o.hierarchy)
		return s->ops->folder(&s->head, s->ctx);
	const struct gx_syncin_message m = {.header = &s->head, .msg = s->stack[0].msg, .associated = is_associated(&s->head)};
	return s->ops->message(&m, s->ctx);
}

static int begin_change(struct gx_syncin *s)
{
	int err = hand_out(s);
	gx_arena_reset(s->a);
	s->head = (struct gx_proplist){0};
	s->depth = 0;
	s->stack[0] = (struct frame){.msg = gx_msgobj_new(s->a)};
	s->place = HEAD;
	s->pending = true;
	return err != 0 ? err : s->stack[0].msg == NULL ? GX_E_NOMEM : 0;
}

static struct frame *top(struct gx_syncin *s)
{
	return &s->stack[s->depth];
}

static int begin_attachment(struct gx_syncin *s)
{
	struct frame *f = top(s);
	s->place = ATTACHMENT;
	f->att = f->msg->att_count;
	return gx_msgobj_add_attach(f->msg, s->a) == NULL ? GX_E_NOMEM : 0;
}

static int begin_embedded(struct gx_syncin *s)
{
	struct gx_msgobj *m = gx_msgobj_new(s->a);
	if (m == NULL || s->depth + 1 >= GX_FTX_DEPTH_MAX)
		return m == NULL ? GX_E_NOMEM : GX_E_DEPTH;
	top(s)->msg->atts[top(s)->att].embedded = m;
	s->stack[++s->depth] = (struct frame){.msg = m};
	s->place = MESSAGE;
	return 0;
}

static int begin_recipient(struct gx_syncin *s)
{
	s->place = RECIPIENT;
	return gx_msgobj_add_rcpt(top(s)->msg, s->a) == NULL ? GX_E_NOMEM : 0;
}

/* What was begun of a message is void, [MS-OXCFXICS] 2.2.4.3.4 */
static int begin_failure(struct gx_syncin *s)
{
	s->pending = false;
	s->place = FAILURE;
	return 0;
}

static int marker(gx_proptag_t m, void *ctx)
{
	struct gx_syncin *s = ctx;
	int err = 0;
	switch (m) {
	case IncrSyncProgressMode: s->place = PROGRESS; break;
	case IncrSyncChg: err = begin_change(s); break;
	case IncrSyncMessage: s->place = MESSAGE; break;
	case StartRecip: err = begin_recipient(s); break;
	case EndToRecip: s->place = MESSAGE; break;
	case NewAttach: err = begin_attachment(s); break;
	case EndAttach: s->place = MESSAGE; break;
	case StartEmbed: err = begin_embedded(s); break;
	case EndEmbed: --s->depth; s->place = ATTACHMENT; break;
	case FXErrorInfo: err = begin_failure(s); break;
	case IncrSyncProgressPerMsg:
	case IncrSyncDel:
	case IncrSyncRead: err = hand_out(s); break;
	case IncrSyncStateBegin: err = hand_out(s); gx_arena_reset(s->a); s->place = STATE; break;
	case IncrSyncEnd: err = s->ops->state == NULL ? 0 : s->ops->state(&s->state, s->ctx); break;
	default: break;
	}
	return err;
}

/* ---- Properties ---- */

static struct gx_proplist *list_of(struct gx_syncin *s)
{
	struct frame *f = top(s);
	switch (s->place) {
	case HEAD: return &s->head;
	case MESSAGE: return &f->msg->props;
	case RECIPIENT: return &f->msg->rcpts[f->msg->rcpt_count - 1];
	case ATTACHMENT: return &f->msg->atts[f->att].props;
	default: return NULL;
	}
}

static int decode(struct gx_syncin *s, uint32_t which, struct gx_bin b, void *ret)
{
	const struct gx_dctx x = GX_DCTX(s->a);
	return gx_desc_decode(&x, gx_ftx_desc(which), b.data, b.len, ret);
}

static int tell(struct gx_syncin *s, const struct gx_ftx_prop *p)
{
	struct gx_progress_information progress;
	struct gx_extended_error_info failure;
	int err = 0;
	if (GX_PROP_TYPE(p->tag) != PtypBinary)
		return 0;
	if (s->place == PROGRESS && s->ops->progress != NULL) {
		err = decode(s, GX_FTX_PROGRESS_INFORMATION, p->v.bin, &progress);
		return err != 0 ? err : s->ops->progress(&progress, s->ctx);
	}
	if (s->place == FAILURE && s->ops->failed != NULL) {
		err = decode(s, GX_FTX_EXTENDED_ERROR_INFO, p->v.bin, &failure);
		return err != 0 ? err : s->ops->failed(&failure, s->ctx);
	}
	return 0;
}

static int prop(const struct gx_ftx_prop *p, void *ctx)
{
	struct gx_syncin *s = ctx;
	struct gx_proplist *l = list_of(s);
	union gx_value v;
	if (l == NULL)
		return tell(s, p);
	int err = gx_value_copy(s->a, GX_PROP_TYPE(p->tag), &p->v, &v);
	if (err != 0)
		return err;
	if (p->name != NULL && s->place == MESSAGE) {
		struct gx_propname n = *p->name;
		n.name = gx_arena_strdup(s->a, n.name);
		return n.by_name && n.name == NULL ? GX_E_NOMEM : gx_msgobj_set_named(top(s)->msg, s->a, &n, GX_PROP_TYPE(p->tag), v);
	}
	return gx_proplist_set(l, s->a, p->tag, v);
}

static int tell_set(struct gx_syncin *s, gx_proptag_t tag, struct gx_bin b)
{
	struct gx_idset ids = GX_IDSET_INIT(GX_IDSET_REPLID);
	struct gx_pull c;
	gx_pull_init(&c, b.data, b.len);
	int err = gx_idset_pull(&c, &ids);
	bool reads = tag == MetaTagIdsetRead || tag == MetaTagIdsetUnread;
	if (err == 0 && reads && s->ops->read != NULL)
		err = s->ops->read(tag == MetaTagIdsetRead, &ids, s->ctx);
	if (err == 0 && !reads && s->ops->gone != NULL)
		err = s->ops->gone(tag, &ids, s->ctx);
	gx_idset_release(&ids);
	return err;
}

static int keep_state(struct gx_syncin *s, gx_proptag_t tag, struct gx_bin b)
{
	for (int i = 0; i < GX_SYNCIN_SETS; ++i) {
		if (GX_PROP_ID(gx_syncin_state_tag(i)) != GX_PROP_ID(tag))
			continue;
		const uint8_t *copy = gx_arena_memdup(s->a, b.data, b.len);
		if (copy == NULL)
			return GX_E_NOMEM;
		s->state.set[i] = (struct gx_bin){copy, b.len};
	}
	return 0;
}

static int meta(const struct gx_ftx_prop *p, void *ctx)
{
	struct gx_syncin *s = ctx;
	switch (p->tag) {
	case MetaTagIdsetDeleted:
	case MetaTagIdsetNoLongerInScope:
	case MetaTagIdsetExpired:
	case MetaTagIdsetRead:
	case MetaTagIdsetUnread:
		return tell_set(s, p->tag, p->v.bin);
	default:
		/* all others are about objects that are there already, and the messages here are new */
		return s->place == STATE ? keep_state(s, p->tag, p->v.bin) : 0;
	}
}

/* ---- */

static const struct gx_ftx_in_ops in_ops = {.marker = marker, .prop = prop, .meta = meta};

int gx_syncin_new(const struct gx_syncin_opts *o, const struct gx_syncin_ops *ops, void *ctx, struct gx_syncin **ret_s)
{
	if ((o->send_options & GX_FTX_SEND_PARTIAL_ITEM) || (o->hierarchy ? ops->folder == NULL : ops->message == NULL))
		return GX_E_INVAL;
	struct gx_syncin *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return GX_E_NOMEM;
	const struct gx_ftx_in_opts in = {.send_options = o->send_options, .cp = o->cp,
		.root = o->hierarchy ? GX_FTX_HIERARCHY_SYNC : GX_FTX_CONTENTS_SYNC, .max_value = o->max_value != 0 ? o->max_value : VALUE_MOST};
	s->o = *o;
	s->ops = ops;
	s->ctx = ctx;
	s->a = gx_arena_new(o->max_message != 0 ? o->max_message : MESSAGE_MOST);
	s->in = gx_ftx_in_new(&in, &in_ops, s);
	if (s->a == NULL || s->in == NULL) {
		gx_syncin_free(s);
		return GX_E_NOMEM;
	}
	*ret_s = s;
	return 0;
}

void gx_syncin_free(struct gx_syncin *s)
{
	if (s == NULL)
		return;
	gx_ftx_in_free(s->in);
	gx_arena_free(s->a);
	free(s);
}

int gx_syncin_write(struct gx_syncin *s, const void *data, size_t n)
{
	return gx_ftx_in_write(s->in, data, n, NULL);
}

int gx_syncin_end(struct gx_syncin *s)
{
	return gx_ftx_in_end(s->in);
}

const char *gx_syncin_text(const struct gx_syncin *s)
{
	return gx_ftx_in_text(s->in);
}
