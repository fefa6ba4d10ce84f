/* SPDX-License-Identifier: Apache-2.0 */
/* Servers for mail programs: "imaps submission://mail.example.org:587". */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/autodiscover/disco-int.h"

static const struct {
	const char *name;
	uint8_t kind;
	bool tls;
	unsigned port;
} schemes[] = {
	{"imap", MAIL_IMAP, false, 143}, {"imaps", MAIL_IMAP, true, 993}, {"pop3", MAIL_POP3, false, 110}, {"pop3s", MAIL_POP3, true, 995},
	{"submission", MAIL_SMTP, false, 587}, {"submissions", MAIL_SMTP, true, 465},
};

static int place(const char *text, struct gx_arena *a, struct disco_mail *m)
{
	const char *colon = text[0] == '[' ? strchr(text, ']') : strchr(text, ':');
	if (colon != NULL && *colon == ']')
		colon = colon[1] == ':' ? colon + 1 : NULL;
	size_t n = colon != NULL ? (size_t)(colon - text) : strlen(text);
	if (colon != NULL) {
		char *end;
		m->port = (unsigned)strtoul(colon + 1, &end, 10);
		if (end == colon + 1 || *end != '\0' || m->port == 0 || m->port > 65535)
			return GX_E_FORMAT;
	}
	if (n > 0 && (m->host = gx_arena_strndup(a, text, n)) == NULL)
		return GX_E_NOMEM;
	return 0;
}

static int parse_one(struct gx_disco *d, const char *word)
{
	size_t n = strcspn(word, ":"), i = 0;
	while (i < sizeof(schemes) / sizeof(*schemes) && (strlen(schemes[i].name) != n || strncmp(schemes[i].name, word, n) != 0))
		++i;
	if (i == sizeof(schemes) / sizeof(*schemes) || (word[n] != '\0' && strncmp(word + n, "://", 3) != 0))
		return GX_E_FORMAT;
	if (d->nmail == MAIL_MOST)
		return GX_E_LIMIT;
	struct disco_mail *m = &d->mail[d->nmail];
	*m = (struct disco_mail){schemes[i].kind, schemes[i].tls, NULL, schemes[i].port};
	int err = word[n] == '\0' ? 0 : place(word + n + 3, d->a, m);
	d->nmail += err == 0;
	return err;
}

int gx_disco__mail_parse(struct gx_disco *d, const char *words, struct gx_arena *a, const char **ret_why)
{
	for (const char *p = words + strspn(words, " \t"); *p != '\0'; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t");
		const char *word = gx_arena_strndup(a, p, n);
		int err = word == NULL ? GX_E_NOMEM : parse_one(d, word);
		if (err != 0) {
			*ret_why = gx_arena_printf(a, "%s: %s", word == NULL ? "" : word, err == GX_E_FORMAT ? "expected imap, imaps, pop3, pop3s, "
				"submission or submissions, perhaps with ://HOST or ://HOST:PORT" : gx_strerror(err));
			return err;
		}
		p += n;
	}
	return 0;
}

const char *gx_disco__mail_host(const struct disco_mail *m, const char *bare_host)
{
	return m->host != NULL ? m->host : bare_host;
}
