#include "tensor/print.h"

#include <gtest/gtest.h>

namespace vae {
namespace {

TEST(Printable, LeavesWordsOfAnyLanguage) {
  for (const char* text :
       {"", "runs/m2", "caf\u00e9", "\u6570\u5b57", "\U0001f600", "a'\"\\b", "\u00a0\u10ffff"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, IsOneLine) { EXPECT_EQ(printable("two\nlines\r\t\x1b[2J\x7f"), "two lines   [2J "); }

TEST(Printable, EscapesWhatMovesTheText) {
  EXPECT_EQ(printable("a\u009b2Jb"), "a\\u009b2Jb");
  EXPECT_EQ(printable("gnp.\u202egpj"), "gnp.\\u202egpj");
  EXPECT_EQ(printable("\u2066\u2069\u200e\u061c\u2028"), "\\u2066\\u2069\\u200e\\u061c\\u2028");
}

TEST(Printable, EscapesBytesThatAreNoText) {
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
  EXPECT_EQ(printable("\x9b\xff"), "\\x9b\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                                      // ends too early
  EXPECT_EQ(printable("\xe2\x82z"), "\\xe2\\x82z");                           // the same
  EXPECT_EQ(printable("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf");  // longer than needed
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");                    // half of a pair of UTF-16
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");           // beyond Unicode
}

}  // namespace
}  // namespace vae
