#include "nn/report/html_report.h"

#include <gtest/gtest.h>

#include "tests/expect_error.h"
#include "tests/file_size_limit.h"
#include "tests/nn/report/well_formed.h"
#include "tests/read_text.h"
#include "tests/temporary_directory.h"

namespace vae::report {
namespace {

using test::expect_error;

HtmlReport everything(const std::string& text) {
  HtmlReport report(text, text);
  report.add_section(text);
  report.add_text(text);
  report.add_headline({{text, text}});
  report.add_facts({{text, text}});
  report.add_table({text, "n"}, {{text, "1"}, {text, "2.5"}});
  report.add_preformatted(text);
  report.add_json({{text, {{"a", text}}}, {"list", {1, 2}}});
  report.add_figure({20, 10, [text](Canvas& canvas) { canvas.text({1, 9}, text, {}); }}, text);
  report.add_image(blank_image(3, 2, 1, 9), text);
  return report;
}

TEST(HtmlReport, IsWellFormedAndSelfContained) {
  const std::string html = everything("plain").html();
  test::expect_well_formed(html);
  test::expect_self_contained(html);
  EXPECT_EQ(test::occurrences(html, "<figure "), 2u);
  EXPECT_NE(html.find("src=\"data:image/svg+xml;base64,PD94bWwg"), std::string::npos);
  EXPECT_NE(html.find("src=\"data:image/png;base64,iVBORw0KGgo"), std::string::npos);
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
}

TEST(HtmlReport, EscapesTextEverywhere) {
  const std::string hostile = "\"><script>alert('x')</script>&amp;{}\x01\xff";
  const std::string html = everything(hostile).html();
  test::expect_well_formed(html);
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  EXPECT_EQ(html.find('\xff'), std::string::npos);
  EXPECT_GE(test::occurrences(html, "&lt;script&gt;"), 15u);
}

TEST(HtmlReport, NumbersAlignRight) {
  HtmlReport report("t");
  report.add_table({"name", "value", "spread"}, {{"a", "1", "0.9 \u00b1 0.1"}, {"b", "", "97.1%"}});
  EXPECT_EQ(test::occurrences(report.html(), "class=\"num\""), 6u);
  expect_error(ErrorKind::internal, "row of 1 cells under a header of 2", [&] {
    report.add_table({"a", "b"}, {{"1"}});
  });
}

// A grid of the width of a column or less stands beside others and shrinks a little; a wider one scrolls.
TEST(HtmlReport, WidePicturesScroll) {
  HtmlReport report("t");
  report.add_section("s");
  report.add_image(blank_image(900, 2, 1, 9), "narrow");
  EXPECT_EQ(report.html().find(" wide\""), std::string::npos);
  EXPECT_NE(report.html().find("min-width:378px;max-width:900px"), std::string::npos);
  report.add_image(blank_image(2000, 2, 1, 9), "wide");
  EXPECT_EQ(test::occurrences(report.html(), "class=\"image wide\""), 1u);
  EXPECT_NE(report.html().find("min-width:840px;max-width:2000px"), std::string::npos);
  report.add_section("another");
  test::expect_well_formed(report.html());
  expect_error(ErrorKind::internal, "3 bytes are no PNG",
               [&] { report.add_png(std::vector<std::byte>(3), ""); });
}

TEST(HtmlReport, JsonBecomesDottedNames) {
  const auto json = nlohmann::ordered_json::parse(
      R"({"z": 50, "model": {"hidden": [500, 600], "name": "m2"}, "nets": [{"a": true}, {"a": null}], "none": {}, "e": [],
          "words": ["x,y", "z"]})");
  const std::vector<Fact> expected{{"z", "50"},           {"model.hidden", "[500, 600]"},
                                   {"model.name", "m2"},  {"nets[0].a", "true"},
                                   {"nets[1].a", "null"}, {"none", "{}"},
                                   {"e", "[]"},           {"words", "[\"x,y\", \"z\"]"}};
  EXPECT_EQ(flatten_json(json), expected);
  EXPECT_EQ(flatten_json(3), (std::vector<Fact>{{"", "3"}}));
}

TEST(HtmlReport, FileIsWholeOrAbsent) {
  const test::TemporaryDirectory directory;
  const HtmlReport report = everything("x");
  report.write(directory / "report.html");
  EXPECT_EQ(test::read_text(directory / "report.html"), report.html());
  expect_error(ErrorKind::io, "no/report.html", [&] { report.write(directory / "no/report.html"); });
  const test::FileSizeLimit full(1000);
  expect_error(ErrorKind::io, "full.html", [&] { report.write(directory / "full.html"); });
  EXPECT_EQ(directory.entries(), 1u);
}

}  // namespace
}  // namespace vae::report
