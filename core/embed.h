#pragma once

/// A file of the source tree as bytes of the program, between the symbols `name` and `name`_end: the program needs no
/// other file, wherever it is installed. `file` is a string literal.
#define LOGODDS_EMBED(name, file)                                                                        \
  asm(".pushsection .rodata\n" #name ":\n.incbin \"" file "\"\n" #name "_end:\n.byte 0\n.popsection\n"); \
  extern "C" const char name[], name##_end[];
