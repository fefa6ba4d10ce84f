/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every statement the directory runs, in words that SQLite and MariaDB both understand. The
 * tables are in dir_tables.c. Numbers of properties are decimal: MariaDB takes 0x.. for text.
 */
#include <config.h>
#include <assert.h>
#include "libgxstore/directory/dir-int.h"

/*
 * The properties that struct gx_user has come as further rows of the same answer, one round trip
 * for all: PidTagDisplayName, PidTagDisplayTypeEx, PidTagProhibitReceiveQuota,
 * PidTagProhibitSendQuota, PidTagStorageQuotaLimit.
 */
#define USER_COLUMNS \
	"SELECT u.id, u.domain_id, u.homeserver, u.username, u.maildir, u.lang, u.timezone, u.address_status, u.privilege_bits," \
	" p.proptag, p.propval_str FROM users u LEFT JOIN user_properties p ON p.user_id=u.id" \
	" AND p.proptag IN (805371935, 956628995, 1718222851, 1718484995, 1073020931) AND p.order_id=1 "
/*
 * A name may be an address, an alias of one, or a login name, in this order. Login names are not
 * ASCII in MariaDB and compare there without regard to accents: the length tells most of them.
 */
#define USER_ID_OF(name, text) \
	"coalesce((SELECT id FROM users WHERE username=" name ")," \
	" (SELECT id FROM users WHERE username=(SELECT mainname FROM aliases WHERE aliasname=" name "))," \
	" (SELECT user_id FROM altnames WHERE altname=" text " AND length(altname)=length(" text ")))"
#define DOMAIN_COLUMNS "SELECT id, homeserver, domain_status, domainname, homedir, title, max_user, org_id FROM domains "
#define LIST_COLUMNS "SELECT id, list_type, list_privilege, listname, domain_id FROM mlists "
#define SERVER_COLUMNS "SELECT id, hostname, extname FROM servers "

static const char *const texts[GX_DQ_COUNT] = {
	[GX_DQ_USER_BY_NAME] = USER_COLUMNS "WHERE u.id=" USER_ID_OF("?1", "?2"),
	[GX_DQ_USER_SECRET] = "SELECT id, password, length(externid) FROM users WHERE id=" USER_ID_OF("?1", "?2"),
	[GX_DQ_USER_ID] = "SELECT id FROM users WHERE username=?1",
	[GX_DQ_USERS_ALL] = USER_COLUMNS "ORDER BY u.username, u.id",
	[GX_DQ_USERS_OF_DOMAIN] = USER_COLUMNS "WHERE u.domain_id=(SELECT id FROM domains WHERE domainname=?1) ORDER BY u.username, u.id",
	[GX_DQ_USER_INSERT] = "INSERT INTO users(username, password, domain_id, group_id, maildir, lang, timezone, privilege_bits,"
		" address_status, homeserver) VALUES(?1,?2,?3,0,?4,?5,?6,?7,?8,?9)",
	[GX_DQ_USER_DELETE] = "DELETE FROM users WHERE username=?1",
	[GX_DQ_USER_PASSWORD] = "UPDATE users SET password=?2 WHERE username=?1",
	[GX_DQ_USER_FIRST_PASSWORD] = "UPDATE users SET password=?2 WHERE id=?1 AND password=''",
	[GX_DQ_USER_LANG] = "UPDATE users SET lang=?2 WHERE username=?1",
	[GX_DQ_PROP_PUT] = "REPLACE INTO user_properties(user_id, proptag, order_id, propval_str) VALUES(?1,?2,1,?3)",
	[GX_DQ_STORE_HOMESERVER] = "SELECT homeserver FROM users WHERE maildir=?1 UNION ALL SELECT homeserver FROM domains WHERE homedir=?1",
	[GX_DQ_DOMAIN_BY_NAME] = DOMAIN_COLUMNS "WHERE domainname=?1",
	[GX_DQ_DOMAINS] = DOMAIN_COLUMNS "ORDER BY domainname",
	[GX_DQ_DOMAIN_INSERT] = "INSERT INTO domains(domainname, homedir, max_user, end_day) VALUES(?1,?2,?3,'3000-01-01')",
	[GX_DQ_DOMAIN_DELETE] = "DELETE FROM domains WHERE domainname=?1",
	[GX_DQ_DOMAIN_COUNT] = "SELECT count(*) FROM users WHERE domain_id=?1",
	[GX_DQ_ALIAS_INSERT] = "INSERT INTO aliases(aliasname, mainname) SELECT ?1, username FROM users WHERE username=?2",
	[GX_DQ_ALIAS_DELETE] = "DELETE FROM aliases WHERE aliasname=?1",
	[GX_DQ_ALIASES_ALL] = "SELECT aliasname, mainname FROM aliases ORDER BY mainname, aliasname",
	[GX_DQ_ALIASES_OF] = "SELECT aliasname, mainname FROM aliases WHERE mainname=?1 ORDER BY aliasname",
	[GX_DQ_NAME_TAKEN] = "SELECT 1 FROM users WHERE username=?1 UNION ALL SELECT 1 FROM aliases WHERE aliasname=?1"
		" UNION ALL SELECT 1 FROM altnames WHERE altname=?1 LIMIT 1",
	[GX_DQ_NAME_FORGET_MEMBER] = "DELETE FROM associations WHERE username=?1",
	[GX_DQ_LIST_BY_NAME] = LIST_COLUMNS "WHERE listname=coalesce((SELECT mainname FROM aliases WHERE aliasname=?1), ?1)",
	[GX_DQ_LIST_MEMBERS] = "SELECT username FROM associations WHERE list_id=?1 ORDER BY username",
	[GX_DQ_LIST_DOMAIN_MEMBERS] = "SELECT username FROM users WHERE domain_id=?1 AND maildir<>'' AND address_status=0 ORDER BY username",
	[GX_DQ_LIST_MAY_SEND] = "SELECT 1 FROM specifieds WHERE list_id=?1 AND username=?2",
	[GX_DQ_LISTS_OF] = "SELECT m.listname FROM associations a JOIN mlists m ON m.id=a.list_id WHERE a.username=?1 ORDER BY m.listname",
	[GX_DQ_LISTS_OF_DOMAIN] = "SELECT m.listname FROM mlists m JOIN users u ON u.domain_id=m.domain_id"
		" WHERE u.username=?1 AND m.list_type=2 AND u.maildir<>'' AND u.address_status=0 ORDER BY m.listname",
	[GX_DQ_LIST_INSERT] = "INSERT INTO mlists(listname, domain_id, list_type, list_privilege) VALUES(?1,?2,?3,?4)",
	[GX_DQ_LIST_FORGET_MEMBERS] = "DELETE FROM associations WHERE list_id=(SELECT id FROM mlists WHERE listname=?1)",
	[GX_DQ_LIST_FORGET_SENDERS] = "DELETE FROM specifieds WHERE list_id=(SELECT id FROM mlists WHERE listname=?1)",
	[GX_DQ_MEMBER_INSERT] = "INSERT INTO associations(list_id, username) SELECT id, ?2 FROM mlists WHERE listname=?1",
	[GX_DQ_MEMBER_DELETE] = "DELETE FROM associations WHERE list_id=(SELECT id FROM mlists WHERE listname=?1) AND username=?2",
	[GX_DQ_SENDER_INSERT] = "INSERT INTO specifieds(username, list_id) SELECT ?2, id FROM mlists WHERE listname=?1",
	[GX_DQ_SECOND_STORES] = "SELECT s.username FROM secondary_store_hints h JOIN users u ON u.id=h.`primary` JOIN users s ON s.id=h.secondary"
		" WHERE u.username=?1 ORDER BY s.username",
	[GX_DQ_SECOND_INSERT] = "INSERT INTO secondary_store_hints(`primary`, secondary) SELECT u.id, s.id FROM users u, users s"
		" WHERE u.username=?1 AND s.username=?2 AND u.id<>s.id",
	[GX_DQ_SECOND_DELETE] = "DELETE FROM secondary_store_hints WHERE `primary`=(SELECT id FROM users WHERE username=?1)"
		" AND secondary=(SELECT id FROM users WHERE username=?2)",
	[GX_DQ_SERVER_BY_ID] = SERVER_COLUMNS "WHERE id=?1",
	[GX_DQ_SERVERS] = SERVER_COLUMNS "ORDER BY id",
	[GX_DQ_SERVER_ID] = "SELECT id FROM servers WHERE hostname=?1",
	[GX_DQ_SERVER_INSERT] = "INSERT INTO servers(id, hostname, extname) VALUES(?1,?2,?3)",
	[GX_DQ_SERVER_DELETE] = "DELETE FROM servers WHERE id=?1",
	[GX_DQ_SERVER_COUNT] = "SELECT (SELECT count(*) FROM users WHERE homeserver=?1) + (SELECT count(*) FROM domains WHERE homeserver=?1)",
	[GX_DQ_USER_HOMESERVER] = "UPDATE users SET homeserver=?2 WHERE username=?1",
	[GX_DQ_BOOK_COUNT] = "SELECT count(*) FROM users",
	[GX_DQ_BOOK_ENTRIES] = "SELECT id, domain_id, homeserver, address_status, privilege_bits, username, maildir FROM users ORDER BY id",
	[GX_DQ_BOOK_PROPS] = "SELECT user_id, proptag, propval_bin IS NULL, CASE WHEN propval_bin IS NULL THEN propval_str ELSE hex(propval_bin) END"
		" FROM user_properties ORDER BY user_id, proptag, order_id",
	[GX_DQ_BOOK_LISTS] = "SELECT u.id, CASE WHEN m.list_type=2 THEN m.domain_id ELSE 0 END FROM mlists m JOIN users u ON u.username=m.listname ORDER BY u.id",
	[GX_DQ_BOOK_ALIASES] = "SELECT u.id, a.aliasname FROM aliases a JOIN users u ON u.username=a.mainname ORDER BY u.id, a.aliasname",
	[GX_DQ_BOOK_MEMBERS] = "SELECT u.id, a.username FROM associations a JOIN mlists m ON m.id=a.list_id JOIN users u ON u.username=m.listname"
		" ORDER BY u.id, a.username",
	[GX_DQ_PROP_ADD] = "INSERT INTO user_properties(user_id, proptag, order_id, propval_bin, propval_str) VALUES(?1,?2,?3,?4,?5)",
	[GX_DQ_PROP_FORGET] = "DELETE FROM user_properties WHERE user_id=?1 AND proptag=?2",
	[GX_DQ_DOMAIN_HOMESERVER] = "UPDATE domains SET homeserver=?2 WHERE domainname=?1",
};
static_assert((int)GX_DQ_COUNT < (int)GX_DIRBACK_STMTS, "back ends keep as many statements, and one of their own");

int gx_dir__run(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n, struct gx_dirstmt **ret_st)
{
	assert(texts[q] != NULL);
	return c->back->run(c, q, texts[q], v, n, ret_st);
}

int gx_dir__step(struct gx_dirstmt *st)
{
	return st->conn->back->step(st);
}

void gx_dir__done(struct gx_dirstmt *st)
{
	st->conn->back->done(st);
}

int64_t gx_dir__num(struct gx_dirstmt *st, unsigned col)
{
	return st->conn->back->num(st, col);
}

const char *gx_dir__text(struct gx_dirstmt *st, unsigned col)
{
	const char *s = st->conn->back->text(st, col);
	return s == NULL ? "" : s;
}

const char *gx_dir__col(struct gx_arena *a, struct gx_dirstmt *st, unsigned col)
{
	return gx_arena_strdup(a, gx_dir__text(st, col));
}

int gx_dir__exec(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n)
{
	struct gx_dirstmt *st;
	int r = gx_dir__run(c, q, v, n, &st);
	if (r != 0)
		return r;
	r = gx_dir__step(st);
	gx_dir__done(st);
	return r > 0 ? GX_E_INTERNAL : r;
}

int gx_dir__change(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n)
{
	int err = gx_dir__exec(c, q, v, n);
	return err == 0 && c->back->changes(c) == 0 ? GX_E_NOTFOUND : err;
}

int gx_dir__each(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n, gx_dir_row *row, void *ctx)
{
	struct gx_dirstmt *st;
	int r = gx_dir__run(c, q, v, n, &st);
	if (r != 0)
		return r;
	while (r == 0 && (r = gx_dir__step(st)) == 1)
		r = row(st, ctx);
	gx_dir__done(st);
	return r;
}

int gx_dir__ask(struct gx_dirconn *c, unsigned slot, const char *sql, const struct gx_dirarg *v, unsigned n, int64_t *ret_v)
{
	struct gx_dirstmt *st;
	int r = c->back->run(c, slot, sql, v, n, &st);
	if (r != 0)
		return r;
	r = gx_dir__step(st);
	if (r == 1 && ret_v != NULL)
		*ret_v = gx_dir__num(st, 0);
	gx_dir__done(st);
	return r == 1 ? 0 : r == 0 ? GX_E_NOTFOUND : r;
}

int gx_dir__first(struct gx_dirconn *c, enum gx_dir_q q, const struct gx_dirarg *v, unsigned n, int64_t *ret_v)
{
	return gx_dir__ask(c, q, texts[q], v, n, ret_v);
}
