/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 25 tables of the user database and the way to them. Names and types of tables and columns
 * are those existing administration programs use, and the versions mean what they mean to these:
 * a database that was left at any of them can be taken over.
 */
#include <config.h>
#include "libgxstore/directory/schema-int.h"

#define TABLE "CREATE TABLE IF NOT EXISTS "
#define INDEX "CREATE INDEX IF NOT EXISTS "
#define OF_USER(name, column) \
	", CONSTRAINT " name " FOREIGN KEY(" column ") REFERENCES users(id) ON DELETE CASCADE ON UPDATE CASCADE"
#define OF_ADDRESS(name, column) \
	"CONSTRAINT " name " FOREIGN KEY(" column ") REFERENCES users(username) ON DELETE CASCADE ON UPDATE CASCADE"

/* ---- Tables that were made in the form they have now ---- */

#define T_OPTIONS TABLE "options(`key` VARCHAR(32) $ascii NOT NULL PRIMARY KEY, value VARCHAR(255))$end;"
#define T_PROPERTIES \
	TABLE "user_properties(user_id $u32 NOT NULL, proptag $u32 NOT NULL, order_id $u32 NOT NULL DEFAULT 1," \
	" propval_bin VARBINARY(4096), propval_str VARCHAR(4096), PRIMARY KEY(user_id, proptag, order_id)" \
	OF_USER("user_properties_ibfk_1", "user_id") ")[s WITHOUT ROWID]$end;"
#define T_ADMIN_ROLES TABLE "admin_roles(id $id, name VARCHAR(32) NOT NULL, description VARCHAR(256), CONSTRAINT name UNIQUE(name))$end;"
#define T_ADMIN_PERMISSIONS \
	TABLE "admin_role_permission_relation(id $id, role_id $u32 NOT NULL, permission VARCHAR(64) NOT NULL, parameters TEXT," \
	" CONSTRAINT admin_role_permission_relation_ibfk_1 FOREIGN KEY(role_id) REFERENCES admin_roles(id) ON DELETE CASCADE)$end;"
#define T_ADMIN_USERS \
	TABLE "admin_user_role_relation(user_id $u32 NOT NULL, role_id $u32 NOT NULL, PRIMARY KEY(user_id, role_id)" \
	OF_USER("admin_user_role_relation_ibfk_1", "user_id") \
	", CONSTRAINT admin_user_role_relation_ibfk_2 FOREIGN KEY(role_id) REFERENCES admin_roles(id) ON DELETE CASCADE)$end;"
#define T_CONFIGS \
	TABLE "configs(id $id, service VARCHAR(200) NOT NULL, file VARCHAR(200) NOT NULL, `key` VARCHAR(200) NOT NULL," \
	" value VARCHAR(255) NOT NULL DEFAULT '', CONSTRAINT path UNIQUE(service, file, `key`)[m , KEY service(service), KEY file(file)])$end;"
#define T_FETCHMAIL \
	TABLE "fetchmail(id $id, user_id $u32 NOT NULL, mailbox VARCHAR(320) NOT NULL, active $u8 NOT NULL DEFAULT 1," \
	" src_server VARCHAR(255) NOT NULL, src_auth [s VARCHAR(16)]" \
	"[m ENUM('password','kerberos_v5','kerberos','kerberos_v4','gssapi','cram-md5','otp','ntlm','msn','ssh','any')]" \
	" NOT NULL DEFAULT 'password', src_user VARCHAR(255) NOT NULL, src_password VARCHAR(255) NOT NULL, src_folder VARCHAR(255) NOT NULL," \
	" fetchall $u8 NOT NULL DEFAULT 0, keep $u8 NOT NULL DEFAULT 1," \
	" protocol [s VARCHAR(8)][m ENUM('POP3','IMAP','POP2','ETRN','AUTO')] NOT NULL DEFAULT 'IMAP', usessl $u8 NOT NULL DEFAULT 1," \
	" sslcertck $u8 NOT NULL DEFAULT 0, sslcertpath VARCHAR(255), sslfingerprint VARCHAR(255), extra_options TEXT," \
	" date TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP[m ON UPDATE CURRENT_TIMESTAMP]" OF_USER("fetchmail_ibfk_1", "user_id") ")$end;"
#define T_HINTS \
	TABLE "secondary_store_hints(`primary` $u32 NOT NULL, secondary $u32 NOT NULL, PRIMARY KEY(`primary`, secondary)" \
	OF_USER("users_ibfk_1", "`primary`") OF_USER("users_ibfk_2", "secondary") ")$end;"
#define T_DEVICES \
	TABLE "user_devices(id $id, user_id $u32 NOT NULL, device_id VARCHAR(64) NOT NULL, status $u32 NOT NULL DEFAULT 0," \
	" CONSTRAINT user_device UNIQUE(user_id, device_id)" OF_USER("user_devices_ibfk_1", "user_id") ")$end;"
#define T_DEVICE_HISTORY \
	TABLE "user_device_history(id $id, user_device_id $u32 NOT NULL, time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP," \
	" remote_ip VARCHAR(64) NOT NULL, status $u32 NOT NULL, CONSTRAINT user_device_history_ibfk_1" \
	" FOREIGN KEY(user_device_id) REFERENCES user_devices(id) ON DELETE CASCADE ON UPDATE CASCADE)$end;"
#define T_TASKS \
	TABLE "tasq(id $id, command VARCHAR(16) NOT NULL, state $u8 NOT NULL DEFAULT 0," \
	" created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, updated TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP," \
	" message VARCHAR(160) NOT NULL DEFAULT '', access TEXT, params TEXT[m , KEY state(state), KEY updated(updated)])$end;"
#define T_SERVERS \
	TABLE "servers(id [s INTEGER][m TINYINT(5) UNSIGNED NOT NULL AUTO_INCREMENT] PRIMARY KEY, hostname VARCHAR(255) $name NOT NULL," \
	" extname VARCHAR(255) $name NOT NULL, CONSTRAINT hostname UNIQUE(hostname))$end;"
#define T_ORGPARAM \
	TABLE "orgparam(org_id $u32 NOT NULL, `key` VARCHAR(32) $ascii NOT NULL, value VARCHAR(255), PRIMARY KEY(org_id, `key`)," \
	" CONSTRAINT orgparam_ibfk_1 FOREIGN KEY(org_id) REFERENCES orgs(id) ON DELETE CASCADE ON UPDATE CASCADE)$end;"
#define T_ALTNAMES \
	TABLE "altnames(user_id $u32 NOT NULL, altname VARCHAR(320)[s COLLATE NOCASE] NOT NULL, magic $u32 NOT NULL DEFAULT 0," \
	" PRIMARY KEY(user_id, altname), CONSTRAINT altname UNIQUE(altname)" OF_USER("altnames_ibfk_1", "user_id") ")$end;"
#define T_PLUGINS \
	TABLE "disabled_plugins(domain_id $u32 NOT NULL, plugin VARCHAR(128) NOT NULL, PRIMARY KEY(domain_id, plugin)," \
	" CONSTRAINT disabled_plugins_ibfk_1 FOREIGN KEY(domain_id) REFERENCES domains(id) ON DELETE CASCADE ON UPDATE CASCADE)$end;"
/* What the lookups of this library want besides. MariaDB has keys for the directories of stores from the beginning. */
#define INDEXES \
	"[s " INDEX "users_domain ON users(domain_id, username);" INDEX "aliases_mainname ON aliases(mainname);" \
	INDEX "users_maildir ON users(maildir);" INDEX "domains_homedir ON domains(homedir);]" \
	INDEX "associations_username ON associations(username);" INDEX "specifieds_list ON specifieds(list_id, username);"

const char gx_dir__tables_new[] =
	T_OPTIONS
	TABLE "orgs(id $id, name VARCHAR(32) NOT NULL DEFAULT '', description VARCHAR(128))$end;"
	TABLE "domains(id $id, org_id $u32 NOT NULL DEFAULT 0, domainname VARCHAR(255) $name NOT NULL, homeserver $u8 NOT NULL DEFAULT 0,"
	" homedir VARCHAR(128) NOT NULL DEFAULT '', max_user $u32 NOT NULL DEFAULT 0, title VARCHAR(128) NOT NULL DEFAULT '',"
	" address VARCHAR(128) NOT NULL DEFAULT '', admin_name VARCHAR(32) NOT NULL DEFAULT '', tel VARCHAR(64) NOT NULL DEFAULT '',"
	" end_day DATE NOT NULL DEFAULT '3000-01-01', domain_status $i8 NOT NULL DEFAULT 0, sync_policy TEXT $ascii, chat_id VARCHAR(26),"
	" CONSTRAINT domainname UNIQUE(domainname)[m , KEY homedir(homedir), KEY org_id(org_id)])$end;"
	TABLE "users(id [s INTEGER PRIMARY KEY AUTOINCREMENT][m INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY],"
	" username VARCHAR(320) $name NOT NULL, primary_email VARCHAR(320) $ascii, altname VARCHAR(64),"
	" password VARCHAR(136) $ascii NOT NULL DEFAULT '', domain_id $u32 NOT NULL, group_id $u32 NOT NULL DEFAULT 0,"
	" homeserver $u8 NOT NULL DEFAULT 0, maildir VARCHAR(128) NOT NULL DEFAULT '', lang VARCHAR(32) NOT NULL DEFAULT '',"
	" timezone VARCHAR(64) NOT NULL DEFAULT '', privilege_bits $u32 NOT NULL DEFAULT 0, address_status $i8 NOT NULL DEFAULT 0,"
	" externid VARBINARY(64), sync_policy TEXT $ascii, chat_id VARCHAR(26), CONSTRAINT username UNIQUE(username)"
	"[m , UNIQUE KEY domain_id_2(domain_id, username), UNIQUE KEY group_id_2(group_id, username), UNIQUE KEY altname(altname),"
	" KEY group_id(group_id), KEY domain_id(domain_id), KEY maildir(maildir)])$end;"
	TABLE "`groups`(id $id, groupname VARCHAR(320) $name NOT NULL, password VARCHAR(136) $ascii NOT NULL DEFAULT '',"
	" domain_id $u32 NOT NULL, title VARCHAR(128) NOT NULL DEFAULT '', CONSTRAINT groupname UNIQUE(groupname)"
	"[m , KEY domain_id(domain_id)])$end;"
	TABLE "aliases(aliasname VARCHAR(320) $name NOT NULL PRIMARY KEY, mainname VARCHAR(320) $name NOT NULL[m , KEY mainname(mainname)], "
	OF_ADDRESS("aliases_ibfk_1", "mainname") ")[s WITHOUT ROWID]$end;"
	TABLE "mlists(id $id, listname VARCHAR(320) $name NOT NULL, domain_id $u32 NOT NULL, list_type $i8 NOT NULL DEFAULT 0,"
	" list_privilege $i8 NOT NULL DEFAULT 0, CONSTRAINT listname UNIQUE(listname)[m , KEY domain_id(domain_id)], "
	OF_ADDRESS("mlists_ibfk_1", "listname") ")$end;"
	TABLE "associations(list_id $i32 NOT NULL, username VARCHAR(320) $name NOT NULL, PRIMARY KEY(list_id, username))[s WITHOUT ROWID]$end;"
	TABLE "specifieds(id $id, username VARCHAR(320) $name NOT NULL, list_id $i32 NOT NULL[m , KEY list_id(list_id)])$end;"
	TABLE "classes(id $id, classname VARCHAR(128) NOT NULL, listname VARCHAR(320) $name NOT NULL, filters TEXT, domain_id $u32 NOT NULL"
	"[m , KEY listname(listname)], " OF_ADDRESS("classes_ibfk_2", "listname")
	", CONSTRAINT classes_ibfk_1 FOREIGN KEY(domain_id) REFERENCES domains(id))$end;"
	TABLE "forwards(id $id, username VARCHAR(320) $name NOT NULL, forward_type $i8 NOT NULL DEFAULT 0,"
	" destination VARCHAR(320) $name NOT NULL, CONSTRAINT username UNIQUE(username))$end;"
	T_PROPERTIES T_ADMIN_ROLES T_ADMIN_PERMISSIONS T_ADMIN_USERS T_CONFIGS T_FETCHMAIL T_HINTS T_DEVICES T_DEVICE_HISTORY T_TASKS
	T_SERVERS T_ORGPARAM T_ALTNAMES T_PLUGINS INDEXES;

const char gx_dir__indexes[] = INDEXES;

/* ---- Version 0 ---- */

/* SQLite cannot change a column or a key that is there, so names and keys have their later form from the beginning. */
const char gx_dir__tables_old[] =
	TABLE "orgs(id $id, memo VARCHAR(128) NOT NULL DEFAULT '')$end;"
	TABLE "domains(id $id, org_id $u32 NOT NULL DEFAULT 0, domainname VARCHAR(64)[s COLLATE NOCASE] NOT NULL,"
	" password VARCHAR(40) NOT NULL DEFAULT '', homedir VARCHAR(128) NOT NULL DEFAULT '', media VARCHAR(64) NOT NULL DEFAULT '',"
	" max_size $u32 NOT NULL, max_user $u32 NOT NULL, title VARCHAR(128) NOT NULL DEFAULT '', address VARCHAR(128) NOT NULL DEFAULT '',"
	" admin_name VARCHAR(32) NOT NULL DEFAULT '', tel VARCHAR(64) NOT NULL DEFAULT '', create_day DATE NOT NULL, end_day DATE NOT NULL,"
	" privilege_bits $u32 NOT NULL, domain_status $i8 NOT NULL DEFAULT 0, domain_type $i8 NOT NULL DEFAULT 0,"
	" CONSTRAINT domainname UNIQUE(domainname)[m , KEY homedir(homedir, domain_type), KEY org_id(org_id)])$end;"
	TABLE "users(id [s INTEGER PRIMARY KEY AUTOINCREMENT][m INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY],"
	" username VARCHAR(128)[s COLLATE NOCASE] NOT NULL, password VARCHAR(40) NOT NULL DEFAULT '', real_name VARCHAR(32) NOT NULL DEFAULT '',"
	" title VARCHAR(128) NOT NULL DEFAULT '', memo VARCHAR(128) NOT NULL DEFAULT '', domain_id $u32 NOT NULL, group_id $u32 NOT NULL,"
	" maildir VARCHAR(128) NOT NULL DEFAULT '', max_size $u32 NOT NULL, max_file $u32 NOT NULL, create_day DATE NOT NULL,"
	" lang VARCHAR(32) NOT NULL DEFAULT '', timezone VARCHAR(64) NOT NULL DEFAULT '', mobile_phone VARCHAR(20) NOT NULL DEFAULT '',"
	" privilege_bits $u32 NOT NULL, sub_type $i8 NOT NULL DEFAULT 0, address_status $i8 NOT NULL DEFAULT 0,"
	" address_type $i8 NOT NULL DEFAULT 0, cell VARCHAR(20) NOT NULL DEFAULT '', tel VARCHAR(20) NOT NULL DEFAULT '',"
	" nickname VARCHAR(32) NOT NULL DEFAULT '', homeaddress VARCHAR(128) NOT NULL DEFAULT '', CONSTRAINT username UNIQUE(username)"
	"[m , UNIQUE KEY domain_id_2(domain_id, username), UNIQUE KEY group_id_2(group_id, username), KEY group_id(group_id),"
	" KEY domain_id(domain_id), KEY maildir(maildir, address_type)])$end;"
	TABLE "`groups`(id $id, groupname VARCHAR(128)[s COLLATE NOCASE] NOT NULL, password VARCHAR(40) NOT NULL DEFAULT '',"
	" domain_id $u32 NOT NULL, max_size $u32 NOT NULL, max_user $u32 NOT NULL, title VARCHAR(128) NOT NULL, create_day DATE NOT NULL,"
	" privilege_bits $u32 NOT NULL, group_status $i8 NOT NULL DEFAULT 0, CONSTRAINT groupname UNIQUE(groupname)"
	"[m , KEY domain_id(domain_id)])$end;"
	TABLE "aliases([m id INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,] aliasname VARCHAR(128)[s COLLATE NOCASE] NOT NULL,"
	" mainname VARCHAR(128)[s COLLATE NOCASE] NOT NULL[m , UNIQUE KEY aliasname(aliasname), KEY mainname(mainname)]"
	"[s , PRIMARY KEY(aliasname), " OF_ADDRESS("aliases_ibfk_1", "mainname") "])[s WITHOUT ROWID]$end;"
	TABLE "mlists(id $id, listname VARCHAR(128)[s COLLATE NOCASE] NOT NULL, domain_id $u32 NOT NULL, list_type $i8 NOT NULL,"
	" list_privilege $i8 NOT NULL DEFAULT 0, CONSTRAINT listname UNIQUE(listname)[m , KEY domain_id(domain_id)]"
	"[s , " OF_ADDRESS("mlists_ibfk_1", "listname") "])$end;"
	TABLE "associations([m id INT(10) UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, username VARCHAR(128) NOT NULL,] list_id $i32 NOT NULL"
	"[m , UNIQUE KEY list_id_2(list_id, username), KEY username(username), KEY list_id(list_id)]"
	"[s , username VARCHAR(128) COLLATE NOCASE NOT NULL, PRIMARY KEY(list_id, username)])[s WITHOUT ROWID]$end;"
	TABLE "specifieds(id $id, username VARCHAR(128)[s COLLATE NOCASE] NOT NULL, list_id $i32 NOT NULL[m , KEY list_id(list_id)])$end;"
	TABLE "classes(id $id, classname VARCHAR(128) NOT NULL, listname VARCHAR(128)[s COLLATE NOCASE], domain_id $u32 NOT NULL,"
	" group_id $u32 NOT NULL[m , KEY listname(listname), KEY domain_id(domain_id), KEY group_id(group_id)]"
	"[s , " OF_ADDRESS("classes_ibfk_2", "listname") ", FOREIGN KEY(domain_id) REFERENCES domains(id)])$end;"
	TABLE "forwards(id $id, username VARCHAR(128)[s COLLATE NOCASE] NOT NULL, forward_type $i8 NOT NULL DEFAULT 0,"
	" destination VARCHAR(128)[s COLLATE NOCASE] NOT NULL, CONSTRAINT username UNIQUE(username))$end;"
	TABLE "hierarchy(id $id, class_id $u32 NOT NULL, child_id $u32 NOT NULL, domain_id $u32 NOT NULL, group_id $u32 NOT NULL"
	"[m , KEY class_id(class_id), KEY child_id(child_id), KEY domain_id(domain_id), KEY group_id(group_id)])$end;"
	TABLE "members(id $id, username VARCHAR(128) NOT NULL, class_id $u32 NOT NULL, domain_id $u32 NOT NULL, group_id $u32 NOT NULL"
	"[m , UNIQUE KEY class_id_2(class_id, username), KEY username(username), KEY class_id(class_id), KEY domain_id(domain_id),"
	" KEY group_id(group_id)])$end;";

/* ---- Steps ---- */

#define S GX_DIRSTEP_S
#define M GX_DIRSTEP_M
#define SM GX_DIRSTEP_BOTH
#define MAKE(v, who, sql) {v, who, GX_DIRSTEP_ALWAYS, NULL, NULL, sql}
#define MODIFY(v, table, column, type) {v, M, GX_DIRSTEP_COLUMN, table, column, "ALTER TABLE `" table "` MODIFY " column " " type}
#define ADD(v, who, table, column, type) {v, who, GX_DIRSTEP_NO_COLUMN, table, column, "ALTER TABLE `" table "` ADD COLUMN " column " " type}
#define DROP(v, who, table, column) {v, who, GX_DIRSTEP_COLUMN, table, column, "ALTER TABLE `" table "` DROP COLUMN " column}
/* A column becomes a property. */
#define MOVE(v, column, tag) {v, SM, GX_DIRSTEP_COLUMN, "users", column, \
	"INSERT INTO user_properties(user_id, proptag, propval_str) SELECT u.id, " tag ", u." column " FROM users u WHERE u." column "<>''" \
	" AND NOT EXISTS (SELECT 1 FROM user_properties p WHERE p.user_id=u.id AND p.proptag=" tag ")"}
#define LANG(old, new) "UPDATE users SET lang='" new "' WHERE lang='" old "';"
#define NO_SUCH_USER(column) column " IS NULL OR " column " NOT IN (SELECT username FROM users)"

/*
 * Each is a statement or a few that may be repeated: MariaDB commits a change of tables at once,
 * and an upgrade can be cut off anywhere. The version is noted when all of its steps are done.
 */
const struct gx_dirstep gx_dir__steps[] = {
	MAKE(1, SM, T_OPTIONS),
	MODIFY(2, "aliases", "aliasname", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(3, "aliases", "mainname", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(4, "associations", "username", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(7, "domains", "domainname", "VARCHAR(255) CHARACTER SET ascii NOT NULL"),
	MODIFY(8, "forwards", "username", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(9, "forwards", "destination", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(10, "groups", "groupname", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(12, "mlists", "listname", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(13, "specifieds", "username", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(14, "users", "username", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	MODIFY(16, "groups", "password", "VARCHAR(136) CHARACTER SET ascii NOT NULL DEFAULT ''"),
	MODIFY(17, "users", "password", "VARCHAR(136) CHARACTER SET ascii NOT NULL DEFAULT ''"),
	DROP(18, M, "aliases", "id"),
	{19, M, GX_DIRSTEP_KEY, "aliases", "aliasname", "ALTER TABLE aliases DROP INDEX aliasname"},
	{20, M, GX_DIRSTEP_NO_KEY, "aliases", "PRIMARY", "ALTER TABLE aliases ADD PRIMARY KEY(aliasname)"},
	{21, M, GX_DIRSTEP_NO_FOREIGN, "aliases", "aliases_ibfk_1", "DELETE FROM aliases WHERE " NO_SUCH_USER("mainname") ";"
		"ALTER TABLE aliases ADD " OF_ADDRESS("aliases_ibfk_1", "mainname")},
	/* Domains, users and aliases that only stood for other ones. */
	{22, SM, GX_DIRSTEP_COLUMN, "domains", "domain_type", "DELETE FROM domains WHERE domain_type=1"},
	{23, SM, GX_DIRSTEP_COLUMN, "users", "address_type", "DELETE FROM users WHERE address_type=1"},
	{24, SM, GX_DIRSTEP_TABLE, "aliases", NULL, "DELETE FROM aliases WHERE aliasname NOT LIKE '%@%'"},
	MAKE(25, S, T_PROPERTIES),
	MAKE(25, M, TABLE "user_properties(user_id $u32 NOT NULL, proptag $u32 NOT NULL, propval_bin VARBINARY(4096),"
		" propval_str VARCHAR(4096), PRIMARY KEY(user_id, proptag),"
		" CONSTRAINT user_properties_ibfk_1 FOREIGN KEY(user_id) REFERENCES users(id))$end"),
	MOVE(26, "homeaddress", "979173407"),   /* PidTagHomeAddressStreet */
	MOVE(27, "nickname", "978255903"),      /* PidTagNickname */
	MOVE(28, "tel", "973602847"),           /* PidTagBusinessTelephoneNumber */
	MOVE(29, "tel", "974782495"),           /* PidTagPrimaryTelephoneNumber */
	MOVE(30, "cell", "974913567"),          /* PidTagMobileTelephoneNumber */
	MOVE(31, "memo", "805568543"),          /* PidTagComment */
	MOVE(32, "title", "974585887"),         /* PidTagTitle */
	MOVE(33, "real_name", "805371935"),     /* PidTagDisplayName */
	DROP(34, SM, "users", "homeaddress"),
	DROP(35, SM, "users", "nickname"),
	DROP(36, SM, "users", "tel"),
	DROP(37, SM, "users", "cell"),
	DROP(38, SM, "users", "memo"),
	DROP(39, SM, "users", "title"),
	DROP(40, SM, "users", "real_name"),
	MAKE(41, SM, T_ADMIN_ROLES),
	MAKE(42, SM, T_ADMIN_PERMISSIONS),
	MAKE(43, SM, T_ADMIN_USERS),
	DROP(44, SM, "users", "mobile_phone"),
	DROP(45, SM, "users", "create_day"),
	DROP(46, SM, "domains", "create_day"),
	DROP(47, SM, "groups", "create_day"),
	{48, SM, GX_DIRSTEP_COLUMN, "domains", "domain_type", "DELETE FROM domains WHERE domain_type<>0"},
	DROP(49, SM, "domains", "domain_type"),
	DROP(50, SM, "domains", "password"),
	DROP(51, SM, "domains", "media"),
	DROP(52, SM, "domains", "max_size"),
	DROP(53, SM, "domains", "privilege_bits"),
	DROP(54, SM, "users", "max_file"),
	ADD(55, SM, "users", "externid", "VARBINARY(64)"),
	{56, M, GX_DIRSTEP_FOREIGN, "user_properties", "user_properties_ibfk_1",
		"ALTER TABLE user_properties DROP FOREIGN KEY user_properties_ibfk_1"},
	{57, M, GX_DIRSTEP_NO_FOREIGN, "user_properties", "user_properties_ibfk_1", "ALTER TABLE user_properties ADD"
		" CONSTRAINT user_properties_ibfk_1 FOREIGN KEY(user_id) REFERENCES users(id) ON DELETE CASCADE ON UPDATE CASCADE"},
	DROP(58, SM, "groups", "group_status"),
	DROP(59, SM, "groups", "privilege_bits"),
	DROP(60, SM, "groups", "max_user"),
	DROP(61, SM, "groups", "max_size"),
	DROP(63, M, "classes", "domain_id"),
	DROP(64, SM, "classes", "group_id"),
	ADD(67, SM, "classes", "filters", "TEXT"),
	/* What the old ones meant, their filters have to say. */
	{68, SM, GX_DIRSTEP_TABLE, "classes", NULL, "DELETE FROM classes"},
	ADD(69, M, "classes", "domain_id", "INT(10) UNSIGNED NOT NULL"),
	{70, M, GX_DIRSTEP_NO_FOREIGN, "classes", "classes_ibfk_1",
		"ALTER TABLE classes ADD CONSTRAINT classes_ibfk_1 FOREIGN KEY(domain_id) REFERENCES domains(id)"},
	MAKE(71, SM, T_CONFIGS),
	DROP(72, SM, "orgs", "memo"),
	ADD(73, SM, "orgs", "name", "VARCHAR(32) NOT NULL DEFAULT ''"),
	ADD(74, SM, "orgs", "description", "VARCHAR(128)"),
	MAKE(75, SM, T_FETCHMAIL),
	ADD(76, SM, "users", "sync_policy", "TEXT $ascii"),
	ADD(77, SM, "domains", "sync_policy", "TEXT $ascii"),
	ADD(78, SM, "users", "chat_id", "VARCHAR(26)"),
	ADD(79, SM, "domains", "chat_id", "VARCHAR(26)"),
	/* Both at once: with half of it two values of a property would not fit. */
	{81, M, GX_DIRSTEP_NO_COLUMN, "user_properties", "order_id", "ALTER TABLE user_properties"
		" ADD COLUMN order_id INT(10) UNSIGNED NOT NULL DEFAULT 1 AFTER proptag, DROP PRIMARY KEY, ADD PRIMARY KEY(user_id, proptag, order_id)"},
	{81, M, GX_DIRSTEP_COLUMN, "user_properties", "order_id",
		"ALTER TABLE user_properties DROP PRIMARY KEY, ADD PRIMARY KEY(user_id, proptag, order_id)"},
	/* PidTagDisplayTypeEx from two columns. */
	{85, SM, GX_DIRSTEP_COLUMN, "users", "address_type", "INSERT INTO user_properties(user_id, proptag, order_id, propval_str)"
		" SELECT u.id, 956628995, 1, CASE WHEN u.address_type=2 THEN '1' WHEN u.sub_type=1 THEN '7' WHEN u.sub_type=2 THEN '8' ELSE '0' END"
		" FROM users u WHERE NOT EXISTS (SELECT 1 FROM user_properties p WHERE p.user_id=u.id AND p.proptag=956628995)"},
	DROP(86, SM, "users", "sub_type"),
	DROP(87, SM, "users", "address_type"),
	ADD(88, SM, "users", "primary_email", "VARCHAR(320) $ascii[m AFTER username]"),
	MAKE(91, SM, T_HINTS),
	MAKE(92, SM, T_DEVICES),
	MAKE(93, SM, T_DEVICE_HISTORY),
	{101, SM, GX_DIRSTEP_COLUMN, "users", "lang", LANG("cn", "zh_TW") LANG("cz", "cs") LANG("dk", "da") LANG("jp", "ja") LANG("no", "nb")
		LANG("pt", "pt_BR") LANG("si", "sl") LANG("zh", "zh_CN")},
	MAKE(102, SM, T_TASKS),
	MAKE(103, SM, T_SERVERS),
	ADD(104, SM, "users", "homeserver", "$u8 NOT NULL DEFAULT 0[m AFTER group_id]"),
	ADD(105, SM, "domains", "homeserver", "$u8 NOT NULL DEFAULT 0[m AFTER domainname]"),
	{106, M, GX_DIRSTEP_NO_KEY, "servers", "hostname", "ALTER TABLE servers ADD CONSTRAINT hostname UNIQUE(hostname)"},
	MODIFY(108, "servers", "id", "TINYINT(5) UNSIGNED NOT NULL AUTO_INCREMENT"),
	MAKE(109, SM, T_ORGPARAM),
	ADD(110, SM, "users", "altname", "VARCHAR(64)[m AFTER primary_email]"),
	{111, M, GX_DIRSTEP_NO_KEY, "users", "altname", "ALTER TABLE users ADD CONSTRAINT altname UNIQUE(altname)"},
	/* PidTagProhibitReceiveQuota, PidTagProhibitSendQuota and PidTagStorageQuotaLimit take the place of the column. */
	{112, SM, GX_DIRSTEP_COLUMN, "users", "max_size", "INSERT INTO user_properties(user_id, proptag, order_id, propval_str)"
		" SELECT u.id, t.tag, 1, u.max_size FROM users u, (SELECT 1718222851 AS tag UNION ALL SELECT 1718484995 UNION ALL SELECT 1073020931) t"
		" WHERE u.max_size>0 AND NOT EXISTS (SELECT 1 FROM user_properties p WHERE p.user_id=u.id AND p.proptag=t.tag)"},
	DROP(112, SM, "users", "max_size"),
	{113, SM, GX_DIRSTEP_TABLE, "mlists", NULL, "DELETE FROM mlists WHERE " NO_SUCH_USER("listname")},
	MAKE(115, SM, "DROP TABLE IF EXISTS members"),
	MAKE(117, SM, "DROP TABLE IF EXISTS hierarchy"),
	{118, SM, GX_DIRSTEP_TABLE, "classes", NULL, "DELETE FROM classes WHERE " NO_SUCH_USER("listname")},
	MODIFY(119, "classes", "listname", "VARCHAR(320) CHARACTER SET ascii NOT NULL"),
	{120, M, GX_DIRSTEP_NO_FOREIGN, "classes", "classes_ibfk_2", "ALTER TABLE classes ADD " OF_ADDRESS("classes_ibfk_2", "listname")},
	{121, M, GX_DIRSTEP_FOREIGN, "mlists", "mlists_ibfk_1", "ALTER TABLE mlists DROP FOREIGN KEY mlists_ibfk_1"},
	{122, M, GX_DIRSTEP_NO_FOREIGN, "mlists", "mlists_ibfk_1", "ALTER TABLE mlists ADD " OF_ADDRESS("mlists_ibfk_1", "listname")},
	{123, M, GX_DIRSTEP_KEY, "associations", "list_id", "ALTER TABLE associations DROP INDEX list_id"},
	{124, M, GX_DIRSTEP_KEY, "associations", "username", "ALTER TABLE associations DROP INDEX username"},
	DROP(125, M, "associations", "id"),
	MODIFY(126, "associations", "list_id", "INT(10) NOT NULL FIRST"),
	{127, M, GX_DIRSTEP_NO_KEY, "associations", "PRIMARY", "ALTER TABLE associations ADD PRIMARY KEY(list_id, username)"},
	{128, M, GX_DIRSTEP_KEY, "associations", "list_id_2", "ALTER TABLE associations DROP INDEX list_id_2"},
	MAKE(129, SM, T_ALTNAMES),
	{130, SM, GX_DIRSTEP_COLUMN, "users", "altname", "INSERT INTO altnames(user_id, altname) SELECT u.id, u.altname FROM users u"
		" WHERE u.altname<>'' AND NOT EXISTS (SELECT 1 FROM altnames a WHERE a.altname=u.altname)"},
	{131, SM, GX_DIRSTEP_COLUMN, "users", "altname", "UPDATE users SET altname=NULL"},
	MAKE(132, SM, T_PLUGINS),
	/* Whatever was lost on the way. */
	MAKE(133, SM, gx_dir__tables_new),
	{0},
};
