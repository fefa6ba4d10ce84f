/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIRECTORY_H
#define GX_DIRECTORY_H
/**
 * @file directory.h
 * Who exists: users, domains, aliases, groups, servers. One interface, back ends behind it
 * (SQLite here; MariaDB is a module loaded at run time). Schema: version 133 of the user database.
 * Thread class: locked.
 */
#include <gx/arena.h>
#include <gx/log.h>
#include <gx/prop.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_dir;

struct gx_dir_opts {
	size_t size;
	const struct gx_log *log;
	const char *path;           /**< SQLite file */
	unsigned cache_seconds;     /**< how long answers may be remembered, 0 takes 10. Changes show at once, those of other processes after 0.1 s (SQLite), 1 s (MariaDB) */
	bool first_time_password;   /**< enable_firsttimepw */

	const char *module;         /**< NULL or "": the SQLite file at path; "mariadb": the module of that name, with what follows */
	const char *module_dir;     /**< where modules lie; NULL: where this library was installed */
	const char *host;           /**< name or address; NULL, "" and "localhost": the socket of this machine */
	const char *socket;         /**< Unix socket; NULL or "": the usual one */
	unsigned port;              /**< 0 takes 3306 */
	const char *user, *password, *dbname;
	unsigned connections;       /**< most at once, 0 takes 8 */
	unsigned wait_seconds;      /**< how long an operation may wait for a connection or for a lost server, 0 takes 10 */
	unsigned rdwr_seconds;      /**< how long a single answer of the server may take, 0: for ever */
	bool tls;                   /**< with a certificate of the server that is valid and names the host */
	const char *tls_ca;         /**< PEM file of authorities; NULL or "": those of the system */
	const char *tls_cert, *tls_key; /**< PEM files of a certificate of our own, if wanted */
	const char *host_id;        /**< our name in the table of servers; NULL or "": every store is at hand */
};
#define GX_DIR_OPTS_INIT {.size = sizeof(struct gx_dir_opts)}

/** Creates the tables (gromox-dbop -C) in a SQLite file. GX_E_EXISTS when they are there. */
GX_API int gx_dir_create(const char *path, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Creates the oldest tables known, version 0, for trying the upgrade (gromox-dbop --create-old). */
GX_API int gx_dir_create_old(const char *path, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** Brings an older schema to the newest, and adds indexes that are missing (gromox-dbop -U). */
GX_API int gx_dir_upgrade(const char *path, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to, const char **ret_why) GX_MUST_CHECK;
/** The same three for any back end; @p old: version 0. Two programs at once do not harm each other. */
GX_API int gx_dir_create_tables(const struct gx_dir_opts *o, bool old, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
GX_API int gx_dir_upgrade_tables(const struct gx_dir_opts *o, struct gx_arena *a, unsigned *ret_from, unsigned *ret_to,
	const char **ret_why) GX_MUST_CHECK;
/** What to call it in messages: the file, or "MariaDB USER@HOST/DATABASE". */
GX_API const char *gx_dir_opts_name(const struct gx_dir_opts *o, struct gx_arena *a);
/**
 * Opens it and looks whether it can be used. GX_E_NOTFOUND no file or no tables, GX_E_STATE the schema is too old, GX_E_FORMAT it
 * is too new or no directory at all, GX_E_UNSUP no such module, GX_E_IO with the words of the server.
 */
GX_API int gx_dir_open(const struct gx_dir_opts *o, struct gx_dir **ret_dir, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
GX_API void gx_dir_close(struct gx_dir *d);

/* users.address_status, users.privilege_bits */
enum { GX_USER_NORMAL = 0, GX_USER_SUSPENDED = 1, GX_USER_DELETED = 3, GX_USER_SHARED = 4, GX_USER_CONTACT = 5 };
enum { GX_PRIV_IMAP_POP3 = 0x1, GX_PRIV_SMTP = 0x2, GX_PRIV_CHGPASSWD = 0x4, GX_PRIV_PUBADDR = 0x8,
	GX_PRIV_DETAIL1 = 0x100, GX_PRIV_WEB = 0x200, GX_PRIV_EAS = 0x400, GX_PRIV_DAV = 0x800 };

struct gx_user {
	uint32_t id, domain_id, homeserver;
	const char *username;       /**< primary address, lower case domain */
	const char *maildir;        /**< "" no mailbox */
	const char *lang, *timezone, *display_name;
	uint32_t status;            /**< address_status with domain bits (x16) */
	uint32_t privileges;
	uint32_t display_type;      /**< PidTagDisplayTypeEx: 0 mailbox, 1 list ... */
	uint64_t quota_receive, quota_send, quota_warn; /**< bytes, 0 none */
};
struct gx_domain {
	uint32_t id, homeserver, status;
	const char *name, *homedir, *title;
	uint32_t max_user;
	uint32_t org_id;            /**< domains of one organisation see each other; 0: of none */
};

/** Is the account in use, and has it all of these (GX_PRIV_*)? What gx_dir_login() asks after the password. */
GX_API bool gx_user_may(const struct gx_user *u, uint32_t need_privileges);
/** By address, alias or login name (altnames), caseless. GX_E_NOTFOUND. */
GX_API int gx_dir_user(struct gx_dir *d, const char *address, struct gx_arena *a, struct gx_user *ret_u) GX_MUST_CHECK;
GX_API int gx_dir_domain(struct gx_dir *d, const char *name, struct gx_arena *a, struct gx_domain *ret_dom) GX_MUST_CHECK;
/**
 * Checks a password. GX_E_NOTFOUND no such user, GX_E_UNSUP the password is kept elsewhere (LDAP, PAM), GX_E_STATE suspended, deleted or lacking
 * @p need_privileges, GX_E_INVAL wrong password. Takes the time of one hash in every case.
 */
GX_API int gx_dir_login(struct gx_dir *d, const char *login, const char *password, uint32_t need_privileges,
	struct gx_arena *a, struct gx_user *ret_u) GX_MUST_CHECK;

/* ---- Names in the address book ---- */

/** DN of a user's mailbox, as Gromox makes it; @p org is x500_org_name. NULL out of memory. */
GX_API const char *gx_dn_of_user(struct gx_arena *a, const char *org, const struct gx_user *u);
/** DN of a domain's public store. */
GX_API const char *gx_dn_of_domain(struct gx_arena *a, const char *org, const struct gx_domain *dom);
struct gx_dn_owner {
	struct gx_domain domain;
	bool is_public;             /**< it is the domain's public store */
	struct gx_user user;        /**< of a mailbox; else zero */
};
/** What such a DN says, whether or not it is true; the organisation's name is not looked at. @p ret_local borrows @p dn. */
GX_API bool gx_dn_parse(const char *dn, uint32_t *ret_domain, uint32_t *ret_user, const char **ret_local);
/** Whose such a DN is; the organisation's name is not looked at. GX_E_NOTFOUND. */
GX_API int gx_dir_dn(struct gx_dir *d, const char *dn, struct gx_arena *a, struct gx_dn_owner *ret_o) GX_MUST_CHECK;

/** Members of a list, nested lists resolved, without doubles. GX_E_STATE when @p sender may not post. */
GX_API int gx_dir_expand_list(struct gx_dir *d, const char *list, const char *sender, struct gx_arena *a, const char *const **ret_v, size_t *ret_n) GX_MUST_CHECK;
/** The same without asking who may post. */
GX_API int gx_dir_list_members(struct gx_dir *d, const char *list, struct gx_arena *a, const char *const **ret_v, size_t *ret_n) GX_MUST_CHECK;
/**
 * Everybody in the list that an entry id means, lists in it resolved: addresses, and DNs (of an organisation without a name) of those
 * who have a mailbox. GX_E_NOTFOUND. For gx_store_opts.people; @p dir: struct gx_dir.
 */
GX_API int gx_dir_people_of(struct gx_bin list, struct gx_arena *a, const char *const **ret_v, size_t *ret_n, void *dir) GX_MUST_CHECK;
/** Lists that an address is in, NULL-terminated. */
GX_API int gx_dir_groups_of(struct gx_dir *d, const char *address, struct gx_arena *a, const char *const **ret_v) GX_MUST_CHECK;

/* ---- All of it, for address books ---- */

struct gx_dir_entry {
	uint32_t id, domain_id, homeserver, status, privileges; /**< as in gx_user */
	uint32_t list_domain;       /**< a list of GX_LIST_DOMAIN: everybody there is a member; else 0 */
	bool is_list;
	const char *username, *maildir;
	struct gx_bin props;        /**< packed row (gx/prop.h) of its user_properties; empty when there are none */
};
struct gx_dir_link {
	uint32_t id;                /**< of an entry */
	const char *name;
};
struct gx_dir_book {
	struct gx_domain *domains;  /**< by name */
	struct gx_dir_entry *entries; /**< by id; also those that are suspended or deleted */
	struct gx_dir_link *aliases; /**< by id, then name */
	struct gx_dir_link *members; /**< what lists hold directly, by id of the list; nested lists among them, and strangers */
	size_t ndomains, nentries, naliases, nmembers;
};
/** Everybody. Values of properties that no type describes, or of types other than gx_dir_put_prop() takes, are left out. */
GX_API int gx_dir_load_book(struct gx_dir *d, struct gx_arena *a, struct gx_dir_book *ret_b) GX_MUST_CHECK;
/**
 * A number that is another one when something has changed, also in other processes (as cache_seconds says). When it is the
 * same again later, gx_dir_load_book() would have given the same.
 */
GX_API int gx_dir_generation(struct gx_dir *d, uint64_t *ret_g) GX_MUST_CHECK;

/** Mailboxes of others that clients shall open beside a user's own: addresses, NULL-terminated. */
GX_API int gx_dir_second_stores(struct gx_dir *d, const char *username, struct gx_arena *a, const char *const **ret_v) GX_MUST_CHECK;

struct gx_server {
	uint32_t id;
	const char *hostname;       /**< by which servers know each other: their host_id */
	const char *extname;        /**< by which clients know it, perhaps with ":PORT" */
};
/**
 * Where the stores of a homeserver (of a user or a domain) are: "local" for 0, which any server serves, and for our own host_id,
 * else the hostname. GX_E_NOTFOUND when there is no such server.
 */
GX_API int gx_dir_server_of(struct gx_dir *d, uint32_t homeserver, struct gx_arena *a, const char **ret_host) GX_MUST_CHECK;
/** Of the user or domain that has this store. GX_E_NOTFOUND. Not remembered: whoever asks often does that. */
GX_API int gx_dir_homeserver(struct gx_dir *d, const char *maildir, uint32_t *ret_server) GX_MUST_CHECK;
/** The row itself; GX_E_NOTFOUND also for 0. */
GX_API int gx_dir_server(struct gx_dir *d, uint32_t id, struct gx_arena *a, struct gx_server *ret_s) GX_MUST_CHECK;
/** By id. */
GX_API int gx_dir_list_servers(struct gx_dir *d, struct gx_arena *a, struct gx_server **ret_v, size_t *ret_n) GX_MUST_CHECK;

/* Administration */
/** @p extname NULL or "": the same. GX_E_EXISTS, GX_E_INVAL no host name, GX_E_LIMIT there are 255. */
GX_API int gx_dir_add_server(struct gx_dir *d, const char *hostname, const char *extname, uint32_t *ret_id) GX_MUST_CHECK;
/** GX_E_NOTFOUND; GX_E_STATE while it is the homeserver of somebody. */
GX_API int gx_dir_del_server(struct gx_dir *d, const char *hostname) GX_MUST_CHECK;
/** Notes where the store is; the store itself stays where it is. GX_E_NOTFOUND no such user or domain, GX_E_INVAL no such server. */
GX_API int gx_dir_set_homeserver(struct gx_dir *d, const char *username, uint32_t server) GX_MUST_CHECK;
GX_API int gx_dir_set_domain_homeserver(struct gx_dir *d, const char *domain, uint32_t server) GX_MUST_CHECK;

struct gx_user_new {
	size_t size;
	const char *username, *password, *maildir, *lang, *timezone, *display_name;
	uint32_t privileges;        /**< 0 takes IMAP/POP3, SMTP, change password, web */
	uint32_t status;
};
#define GX_USER_NEW_INIT {.size = sizeof(struct gx_user_new)}
GX_API int gx_dir_add_domain(struct gx_dir *d, const char *name, const char *homedir, unsigned max_user, uint32_t *ret_id) GX_MUST_CHECK;
/** GX_E_STATE while it has users. */
GX_API int gx_dir_del_domain(struct gx_dir *d, const char *name) GX_MUST_CHECK;
/** GX_E_NOTFOUND no such domain, GX_E_EXISTS the name is taken (also by an alias), GX_E_LIMIT max_user, GX_E_INVAL no address. */
GX_API int gx_dir_add_user(struct gx_dir *d, const struct gx_user_new *u, uint32_t *ret_id) GX_MUST_CHECK;
/** Aliases and list memberships go with it; the store stays. */
GX_API int gx_dir_del_user(struct gx_dir *d, const char *username) GX_MUST_CHECK;
/** Stores crypt(3) of the password. */
GX_API int gx_dir_set_password(struct gx_dir *d, const char *username, const char *password) GX_MUST_CHECK;
/** The language that a user prefers, "de_DE"; at most 32 bytes. GX_E_NOTFOUND; aliases are not looked up. */
GX_API int gx_dir_set_lang(struct gx_dir *d, const char *username, const char *lang) GX_MUST_CHECK;
/**
 * A property of a user or list, in user_properties; NULL removes it. Types: PtypBoolean, PtypInteger16, 32, 64, PtypTime, PtypString,
 * PtypBinary, and lists of the latter two. GX_E_NOTFOUND no such user (aliases are not looked up), GX_E_UNSUP another type, GX_E_LIMIT
 * more than 4096 bytes or 256 values.
 */
GX_API int gx_dir_put_prop(struct gx_dir *d, const char *username, gx_proptag_t tag, const union gx_value *v) GX_MUST_CHECK;
GX_API int gx_dir_add_alias(struct gx_dir *d, const char *alias, const char *username) GX_MUST_CHECK;
GX_API int gx_dir_del_alias(struct gx_dir *d, const char *alias) GX_MUST_CHECK;
/** Gives nobody any rights there. GX_E_NOTFOUND no such users, or it is their own; GX_E_EXISTS. */
GX_API int gx_dir_add_second_store(struct gx_dir *d, const char *username, const char *other) GX_MUST_CHECK;
/** GX_E_NOTFOUND. */
GX_API int gx_dir_del_second_store(struct gx_dir *d, const char *username, const char *other) GX_MUST_CHECK;
/** @p domain NULL: all. */
GX_API int gx_dir_list_users(struct gx_dir *d, const char *domain, struct gx_arena *a, struct gx_user **ret_v, size_t *ret_n) GX_MUST_CHECK;
GX_API int gx_dir_list_domains(struct gx_dir *d, struct gx_arena *a, struct gx_domain **ret_v, size_t *ret_n) GX_MUST_CHECK;
struct gx_alias {
	const char *alias, *username;
};
/** @p username NULL: all. */
GX_API int gx_dir_list_aliases(struct gx_dir *d, const char *username, struct gx_arena *a, struct gx_alias **ret_v, size_t *ret_n) GX_MUST_CHECK;
/* mlists.list_type and list_privilege: who may post */
enum { GX_LIST_NORMAL = 0, GX_LIST_DOMAIN = 2 };
enum { GX_LISTPRIV_ALL = 0, GX_LISTPRIV_INTERNAL = 1, GX_LISTPRIV_DOMAIN = 2, GX_LISTPRIV_SPECIFIED = 3, GX_LISTPRIV_OUTGOING = 4 };
/** A distribution list is a user without mailbox. Errors as gx_dir_add_user(); gx_dir_del_user() removes it. */
GX_API int gx_dir_add_list(struct gx_dir *d, const char *list, uint32_t type, uint32_t privilege, const char *display_name) GX_MUST_CHECK;
GX_API int gx_dir_add_member(struct gx_dir *d, const char *list, const char *member) GX_MUST_CHECK;
GX_API int gx_dir_del_member(struct gx_dir *d, const char *list, const char *member) GX_MUST_CHECK;
/** Lets somebody post to a list of GX_LISTPRIV_SPECIFIED. */
GX_API int gx_dir_add_sender(struct gx_dir *d, const char *list, const char *sender) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
