#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns facts/foldernames.tsv into the table that store creation includes: gen-foldernames.py TSV HEADER"""
import os
import sys


def quote(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def main():
    with open(sys.argv[1], encoding='utf-8') as f:
        rows = [line.rstrip('\n').split('\t') for line in f if line.strip()]
    head, body = rows[0], rows[1:]
    out = ['/* SPDX-License-Identifier: Apache-2.0 */', '/* Generated from facts/foldernames.tsv. */', 'enum {']
    out += ['\tGX_FN_%s,' % name.upper() for name in head[1:]]
    out += ['\tGX_FN_COUNT', '};', 'static const struct {', '\tconst char *lang;',
            '\tconst char *name[GX_FN_COUNT];', '} gx_folder_names[] = {']
    for row in body:
        if len(row) != len(head):
            sys.exit('%s: %s: %d columns instead of %d' % (sys.argv[1], row[0], len(row), len(head)))
        out.append('\t{%s, {%s}},' % (quote(row[0]), ', '.join(map(quote, row[1:]))))
    out.append('};')
    os.makedirs(os.path.dirname(sys.argv[2]) or '.', exist_ok=True)
    with open(sys.argv[2], 'w', encoding='utf-8') as f:
        f.write('\n'.join(out) + '\n')


main()
