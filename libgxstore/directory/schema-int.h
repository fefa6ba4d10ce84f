/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIR_SCHEMA_INT_H
#define GX_DIR_SCHEMA_INT_H
/**
 * @file schema-int.h
 * The tables of the user database and how older ones become them, as texts for both databases.
 *
 * In a text "[s ...]" is for SQLite only, "[m ...]" for MariaDB only (no nesting), and a word with
 * a dollar sign stands for what the databases call differently: $id a number that counts up by
 * itself and is the key, $u32 $i32 $u8 $i8 numbers, $name an address or host name (ASCII case does
 * not count), $ascii text that is ASCII, $end what closes a table. A semicolon ends a statement.
 */
#include <stddef.h>
#include <stdint.h>

/** The newest tables; those that are there stay as they are. */
extern const char gx_dir__tables_new[];
/** Indexes of ours, which have no version: they are made where they are missing, by each upgrade. */
extern const char gx_dir__indexes[];
/** Those of version 0. */
extern const char gx_dir__tables_old[];

/* When a step has something to do; those about keys are for MariaDB. All but the first want the table to exist. */
enum { GX_DIRSTEP_ALWAYS, GX_DIRSTEP_TABLE, GX_DIRSTEP_COLUMN, GX_DIRSTEP_NO_COLUMN,
	GX_DIRSTEP_KEY, GX_DIRSTEP_NO_KEY, GX_DIRSTEP_FOREIGN, GX_DIRSTEP_NO_FOREIGN };
enum { GX_DIRSTEP_S = 1, GX_DIRSTEP_M = 2, GX_DIRSTEP_BOTH = 3 };

struct gx_dirstep {
	uint8_t version;      /**< that it leads to */
	uint8_t dialects;
	uint8_t when;
	const char *table, *object;
	const char *sql;
};
/** In the order of their versions; ends with a version of 0. */
extern const struct gx_dirstep gx_dir__steps[];

#endif
