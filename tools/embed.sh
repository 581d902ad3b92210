#!/bin/sh
# Writes C that embeds the named files (engine/base/embed.h): the program finds its schemas, policies and facilities wherever it is installed.
printf '/* made by tools/embed.sh */\n#include "engine/base/embed.h"\n'
n=0
for f in "$@"; do
	printf '__asm__(".section .rodata\\n.balign 16\\n.global embed_%d\\n.hidden embed_%d\\nembed_%d:\\n.incbin \\"%s\\"\\n.global embed_%d_end\\n.hidden embed_%d_end\\nembed_%d_end:\\n.byte 0\\n.previous\\n");\n' $n $n $n "$f" $n $n $n
	printf 'extern const char embed_%d[], embed_%d_end[];\n' $n $n
	n=$((n+1))
done
printf 'const struct embed embed_table[] = {\n'
n=0
for f in "$@"; do printf '\t{"%s", embed_%d, embed_%d_end},\n' "$f" $n $n; n=$((n+1)); done
printf '\t{0, 0, 0},\n};\n'
