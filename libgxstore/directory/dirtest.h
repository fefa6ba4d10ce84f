/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIRTEST_H
#define GX_DIRTEST_H
/*
 * Cases that hold for every back end (dircases.c, tablecases.c). A program says which by giving
 * opts and the two functions; fixtures and helpers (dirtest.c) are here.
 */
#include "tests/gxtest.h"
#include "libgxstore/directory/dir-int.h"

/* The program's: where the directory is, making it an empty database without tables, and taking it away. */
extern struct gx_dir_opts dt_opts;
void dt_make_empty(void);
void dt_remove(void);

/* Fixtures: an empty database; tables and the domain example.org in it, open as dt_dir. */
void dt_setup_empty(void);
void dt_setup(void);
void dt_teardown(void);
extern struct gx_arena *dt_arena;
extern struct gx_dir *dt_dir;

/* Opens dt_dir once more. */
void dt_open(bool first_time_password);
/* Statements with semicolons between them, as the program that owns the tables would run them. */
void dt_sql(const char *text);
/* All rows of an answer as text. */
char *dt_rows(const char *sql, unsigned columns);
/* A user with the display name "Ann Example". */
int dt_add(const char *name, const char *password);
/* Who is in a list, with blanks between them, or the error. */
void dt_expect_members(const char *list, const char *sender, int err, const char *names);
/* What makes two schemas equal. */
char *dt_shape(void);
/* A database of version 0 with people in it; whether they are all there after an upgrade. */
void dt_make_old(void);
void dt_expect_people(void);

/* Add the cases to a suite. */
void dircases(Suite *s);
void tablecases(Suite *s);
#endif
