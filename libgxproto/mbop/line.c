/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: options and operands of a command, parentheses, foreach. */
#include <config.h>
#include <limits.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxproto/mbop/mbop-int.h"

enum { MAX_JOBS = 1000 };

struct parser {
	struct gx_arena *a;
	struct gx_mbop_line *l;
	const char **ret_why;
	const char *reader; /* the command that takes the input */
};

static int bad(struct parser *p, const char *fmt, ...) GX_PRINTF(2, 3);
static int bad(struct parser *p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *why = gx_arena_vprintf(p->a, fmt, ap);
	va_end(ap);
	*p->ret_why = why != NULL ? why : "";
	return why != NULL ? GX_E_INVAL : GX_E_NOMEM;
}

/* ---- One command ---- */

static int convert(
	struct parser *p, const char *cmd, const char *what, uint8_t type, const char *text, struct gx_mbop_value *v)
{
	const char *why = "";
	int err = gx_mbop__value(p->a, type, text, v, &why);
	return err == GX_E_INVAL ? bad(p, "%s: %s%s%s", cmd, what, *what != '\0' ? ": " : "", why) : err;
}

static int set_option(struct parser *p, struct gx_mbop_cmd *c, size_t i, const char *name, const char *value)
{
	struct gx_mbop_value *v = &c->v[i];
	const struct gx_mbop_option *o = &c->e->c.option[i];
	v->set = true;
	return o->type == GX_MBOP_FLAG ? 0 : convert(p, c->e->c.name, name, o->type, value, v);
}

static bool wants_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-?") == 0;
}

/* "--name", "--name=value", "--name value". @return words taken, or GX_E_*. */
static int long_option(struct parser *p, struct gx_mbop_cmd *c, char *const *v, size_t n)
{
	const struct gx_mbop_option *o = c->e->c.option;
	const char *name = v[0] + 2, *eq = strchr(name, '=');
	size_t len = eq != NULL ? (size_t)(eq - name) : strlen(name), i = 0;
	while ((o[i].letter != 0 || o[i].name != NULL) &&
		(o[i].name == NULL || strlen(o[i].name) != len || memcmp(o[i].name, name, len) != 0))
		++i;
	if (o[i].letter == 0 && o[i].name == NULL)
		return bad(p, "%s: there is no option %.*s", c->e->c.name, (int)(len + 2), v[0]);
	if (o[i].arg == NULL && eq != NULL)
		return bad(p, "%s: %.*s has no value", c->e->c.name, (int)(len + 2), v[0]);
	if (o[i].arg != NULL && eq == NULL && n < 2)
		return bad(p, "%s: %s needs a value", c->e->c.name, v[0]);
	int err = set_option(p, c, i, gx_arena_strndup(p->a, v[0], len + 2),
		eq != NULL         ? eq + 1
		: o[i].arg != NULL ? v[1]
				   : NULL);
	return err != 0 ? err : o[i].arg != NULL && eq == NULL ? 2 : 1;
}

/* "-abt VALUE", "-tVALUE". @return words taken, or GX_E_*. */
static int short_options(struct parser *p, struct gx_mbop_cmd *c, char *const *v, size_t n)
{
	const struct gx_mbop_option *o = c->e->c.option;
	for (const char *s = v[0] + 1; *s != '\0'; ++s) {
		char name[3] = {'-', *s, '\0'};
		size_t i = 0;
		while ((o[i].letter != 0 || o[i].name != NULL) && o[i].letter != *s)
			++i;
		if (o[i].letter == 0)
			return bad(p, "%s: there is no option %s", c->e->c.name, name);
		if (o[i].arg == NULL) {
			int err = set_option(p, c, i, name, NULL);
			if (err != 0)
				return err;
			continue;
		}
		if (s[1] == '\0' && n < 2)
			return bad(p, "%s: %s needs a value", c->e->c.name, name);
		int err = set_option(p, c, i, name, s[1] != '\0' ? s + 1 : v[1]);
		return err != 0 ? err : s[1] != '\0' ? 1 : 2;
	}
	return 1;
}

static int add_operand(struct parser *p, struct gx_mbop_cmd *c, size_t n, const char *text)
{
	const struct gx_mbop_command *d = &c->e->c;
	if (c->nargs >= d->max)
		return bad(p, d->max == 0 ? "%s takes no operands, and \"%s\" is one" : "%s: \"%s\" is too much", d->name, text);
	if (c->args == NULL)
		c->args = gx_arena_new_array(p->a, struct gx_mbop_value, n);
	return c->args == NULL ? GX_E_NOMEM : convert(p, d->name, "", d->operands, text, &c->args[c->nargs++]);
}

static int complete(struct parser *p, const struct gx_mbop_cmd *c)
{
	const struct gx_mbop_command *d = &c->e->c;
	for (size_t i = 0; d->option[i].letter != 0 || d->option[i].name != NULL; ++i)
		if (d->option[i].required && !c->v[i].set)
			return bad(p, "%s: -%c %s is missing", d->name, d->option[i].letter, d->option[i].arg);
	if (c->nargs < d->min)
		return bad(p, "%s: %s is missing", d->name, d->args);
	const char *why = c->e->check != NULL ? c->e->check(c) : NULL;
	return why != NULL ? bad(p, "%s: %s", d->name, why) : 0;
}

/* Options and operands may be mixed; behind "--" are operands. */
static int parse_words(struct parser *p, struct gx_mbop_cmd *c, char *const *v, size_t n)
{
	bool options = true;
	for (size_t i = 0; i < n;) {
		int took = 1, err;
		if (options && strcmp(v[i], "--") == 0)
			options = false;
		else if (options && wants_help(v[i]))
			p->l->help = &c->e->c;
		else if (options && strncmp(v[i], "--", 2) == 0)
			took = long_option(p, c, v + i, n - i);
		else if (options && v[i][0] == '-' && v[i][1] != '\0')
			took = short_options(p, c, v + i, n - i);
		else
			took = (err = add_operand(p, c, n, v[i])) != 0 ? err : 1;
		if (took < 0)
			return took;
		i += (size_t)took;
	}
	return p->l->help != NULL ? 0 : complete(p, c);
}

static int take_input(struct parser *p, const struct gx_mbop_step *s, const char *name)
{
	if (p->l->help != NULL)
		return 0;
	if (s->each)
		return bad(p, "%s reads standard input, which is there for one mailbox only: not with foreach", name);
	if (p->reader != NULL)
		return bad(p, "%s reads standard input, which %s has taken already", name, p->reader);
	p->reader = name;
	return 0;
}

static int command(struct parser *p, struct gx_mbop_step *s, char *const *v, size_t n)
{
	struct gx_mbop_cmd c = {.e = gx_mbop__entry(v[0])};
	if (c.e == NULL || c.e->run == NULL)
		return bad(p, "there is no command \"%s\"; --help lists them", v[0]);
	int err = parse_words(p, &c, v + 1, n - 1);
	if (err == 0 && c.e->input)
		err = take_input(p, s, v[0]);
	if (err != 0)
		return err;
	s->cmds = gx_arena_grow(p->a, s->cmds, &s->cap, s->n + 1, sizeof(*s->cmds));
	if (s->cmds == NULL)
		return GX_E_NOMEM;
	s->cmds[s->n++] = c;
	return 0;
}

/* ---- Parentheses ---- */

typedef int item_fn(struct parser *p, struct gx_mbop_step *s, char *const *v, size_t n);

/* From v[0], "(": the number of words to its ")" included, 0 when there is none. */
static size_t group_len(char *const *v, size_t n)
{
	size_t depth = 0;
	for (size_t i = 0; i < n; ++i) {
		depth += strcmp(v[i], "(") == 0;
		if (strcmp(v[i], ")") == 0 && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* One item, or several in parentheses. */
static int items(struct parser *p, struct gx_mbop_step *s, char *const *v, size_t n, item_fn *item)
{
	if (n == 0)
		return bad(p, "a command is missing");
	if (strcmp(v[0], "(") != 0)
		return item(p, s, v, n);
	for (size_t i = 0; i < n;) {
		if (strcmp(v[i], "(") != 0)
			return bad(p, "expected ( instead of \"%s\"", v[i]);
		size_t len = group_len(v + i, n - i);
		if (len == 0)
			return bad(p, "a ( has no ), which must be a word of its own");
		int err = len == 2 ? bad(p, "there is nothing between ( and )") : items(p, s, v + i + 1, len - 2, item);
		if (err != 0)
			return err;
		i += len;
	}
	return 0;
}

/* ---- foreach ---- */

static int each_item(struct parser *p, struct gx_mbop_step *s, char *const *v, size_t n)
{
	return strncmp(v[0], "foreach", 7) == 0 ? bad(p, "%s inside of foreach", v[0]) : command(p, s, v, n);
}

static int filters(struct parser *p, struct gx_mbop_step *s, const char *word)
{
	const char *at = word + strlen("foreach");
	if (*at != '.')
		return bad(p, "%s: a filter is missing; \"foreach.* --help\" lists them", word);
	while (*at == '.') {
		size_t len = strcspn(++at, ".");
		uint32_t f = gx_mbop__filter(at, len);
		if (f == 0)
			return bad(p, "%s: there is no filter \"%.*s\"; \"foreach.* --help\" lists them", word, (int)len, at);
		s->filters |= f;
		at += len;
	}
	return 0;
}

static struct gx_mbop_step *new_step(struct parser *p, bool each)
{
	struct gx_mbop_line *l = p->l;
	if (!each && l->n > 0 && !l->v[l->n - 1].each)
		return &l->v[l->n - 1];
	l->v = gx_arena_grow(p->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	if (l->v == NULL)
		return NULL;
	l->v[l->n] = (struct gx_mbop_step){.each = each, .jobs = 1};
	return &l->v[l->n++];
}

static int foreach(struct parser *p, char *const *v, size_t n)
{
	const struct gx_mbop_entry *e = gx_mbop__entry("foreach.*");
	struct gx_mbop_cmd opts = {.e = e};
	struct gx_mbop_step *s = new_step(p, true);
	size_t i = 1;
	if (s == NULL)
		return GX_E_NOMEM;
	for (int took; i < n && v[i][0] == '-'; i += (size_t)took) {
		if (wants_help(v[i])) {
			p->l->help = &e->c;
			return 0;
		}
		took = short_options(p, &opts, v + i, n - i);
		if (took < 0)
			return took;
	}
	if (opts.v[0].set && opts.v[0].num > MAX_JOBS)
		return bad(p, "%s: -j: at most %d", v[0], (int)MAX_JOBS);
	s->jobs = opts.v[0].set ? (unsigned)opts.v[0].num : 1;
	int err = filters(p, s, v[0]);
	return err != 0 ? err : items(p, s, v + i, n - i, each_item);
}

static int top_item(struct parser *p, struct gx_mbop_step *unused, char *const *v, size_t n)
{
	(void)unused;
	if (strncmp(v[0], "foreach", 7) == 0)
		return foreach(p, v, n);
	struct gx_mbop_step *s = new_step(p, false);
	return s == NULL ? GX_E_NOMEM : command(p, s, v, n);
}

int gx_mbop_parse(char *const *argv, size_t argc, struct gx_arena *a, struct gx_mbop_line **ret_l, const char **ret_why)
{
	const char *why = "";
	struct parser p = {.a = a, .ret_why = ret_why != NULL ? ret_why : &why};
	*p.ret_why = "";
	if (argv == NULL || a == NULL || ret_l == NULL)
		return GX_E_INVAL;
	p.l = gx_arena_new_obj(a, struct gx_mbop_line);
	if (p.l == NULL)
		return GX_E_NOMEM;
	int err = items(&p, NULL, argv, argc, top_item);
	if (err == 0)
		*ret_l = p.l;
	return err;
}

const struct gx_mbop_command *gx_mbop_help_wanted(const struct gx_mbop_line *l)
{
	return l->help;
}

bool gx_mbop_needs_mailbox(const struct gx_mbop_line *l)
{
	for (size_t i = 0; i < l->n; ++i)
		if (!l->v[i].each)
			return true;
	return false;
}

bool gx_mbop_has_foreach(const struct gx_mbop_line *l)
{
	for (size_t i = 0; i < l->n; ++i)
		if (l->v[i].each)
			return true;
	return false;
}
