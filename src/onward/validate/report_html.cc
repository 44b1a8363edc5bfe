// The report as one HTML page: drawn here as SVG, so it needs no script and no network.
#include <algorithm>
#include <cmath>

#include "onward/base/version.h"
#include "onward/validate/report.h"

namespace onward {
namespace {

std::string escaped(std::string_view s) {
  std::string out;
  for (char c : s) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string row_of(const std::vector<std::string>& cells, const char* tag = "td") {
  std::string out = "<tr>";
  for (const std::string& cell : cells) out += text("<", tag, ">", escaped(cell), "</", tag, ">");
  return out + "</tr>\n";
}

constexpr double side = 320, margin = 46;
std::string number(double x) { return text(std::round(x * 10) / 10); }
std::string svg(const std::string& title, const std::string& body) {
  return text("<figure><figcaption>", escaped(title), "</figcaption><svg viewBox=\"0 0 ", side + margin + 10, " ", side + margin + 10, "\" width=\"376\" height=\"376\" role=\"img\" aria-label=\"",
              escaped(title), "\">", body, "</svg></figure>\n");
}
std::string label(double x, double y, const std::string& words, const char* anchor) {
  return text("<text x=\"", number(x), "\" y=\"", number(y), "\" text-anchor=\"", anchor, "\">", escaped(words), "</text>");
}
std::string frame() { return text("<rect x=\"", margin, "\" y=\"5\" width=\"", side, "\" height=\"", side, "\" class=\"frame\"/>"); }

// Expected across, given up; equal answers lie on the diagonal.
std::string parity_plot(const OutputComparison& o) {
  double low = INFINITY, high = -INFINITY;
  for (const auto& [e, g] : o.sample)
    for (const double x : {e, g})
      if (std::isfinite(x)) low = std::min(low, x), high = std::max(high, x);
  if (!(low <= high)) return "";
  if (low == high) low -= 0.5, high += 0.5;
  const auto across = [&](double x) { return margin + (x - low) / (high - low) * side; };
  const auto up = [&](double y) { return 5 + side - (y - low) / (high - low) * side; };
  std::string body = frame() + text("<line x1=\"", margin, "\" y1=\"", 5 + side, "\" x2=\"", margin + side, "\" y2=\"5\" class=\"diagonal\"/>");
  for (const auto& [e, g] : o.sample) {
    if (!std::isfinite(e) || !std::isfinite(g)) continue;
    const bool off = !(std::fabs(g - e) <= o.absolute + o.relative * std::fabs(e));
    body += text("<circle cx=\"", number(across(e)), "\" cy=\"", number(up(g)), "\" r=\"2\"", off ? " class=\"off\"" : "", "/>");
  }
  body += label(margin, side + 22, text(low), "start") + label(margin + side, side + 22, text(high), "end") + label(margin + side / 2, side + 40, "expected", "middle");
  return svg(text(o.name, ": expected against given"), body);
}

std::string histogram_plot(const OutputComparison& o) {
  const int64_t most = std::max<int64_t>(1, *std::max_element(o.histogram.begin(), o.histogram.end()));
  const double width = side / double(o.histogram.size());
  std::string body = frame();
  for (size_t i = 0; i < o.histogram.size(); ++i) {
    if (!o.histogram[i]) continue;
    const double height = side * std::log1p(double(o.histogram[i])) / std::log1p(double(most));
    const std::string what = i == 0 ? "equal" : i + 1 == o.histogram.size() ? "1e6 or more, or not a number" : text("below 1e", OutputComparison::smallest_decade + int(i) - 1);
    body += text("<rect x=\"", number(margin + double(i) * width + 1), "\" y=\"", number(5 + side - height), "\" width=\"", number(width - 2), "\" height=\"", number(height),
                 "\" class=\"bar\"><title>", what, ": ", o.histogram[i], "</title></rect>");
  }
  for (const int decade : {-18, -12, -6, 0, 6}) body += label(margin + (decade - OutputComparison::smallest_decade + 2) * width, side + 22, text("1e", decade), "middle");
  body += label(margin + width / 2, side + 22, "0", "middle") + label(margin - 4, 14, text(most), "end") + label(margin + side / 2, side + 40, "absolute error (count on a log scale)", "middle");
  return svg(text(o.name, ": errors"), body);
}

std::string disagreement_table(const OutputComparison& o) {
  std::vector<std::pair<std::pair<std::string, std::string>, int64_t>> pairs(o.disagreements.begin(), o.disagreements.end());
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (pairs.size() > 50) pairs.resize(50);
  std::string out = text("<h3>", escaped(o.name), ": where the two disagree</h3><table>", row_of({"expected", "given", "rows"}, "th"));
  for (const auto& [pair, count] : pairs) out += row_of({pair.first, pair.second, text(count)});
  return out + "</table>\n";
}

std::string worst_table(const Comparison& c, const Table* table) {
  if (c.worst.empty()) return "";
  std::vector<std::string> head{"row", "output", "expected", "given", "error"};
  constexpr size_t most_columns = 40;
  const size_t columns = table ? std::min(table->columns.size(), most_columns) : 0;
  for (size_t i = 0; i < columns; ++i) head.push_back(table->columns[i].name);
  std::string out = "<h2>Worst rows</h2><div class=\"wide\"><table>" + row_of(head, "th");
  for (const WorstRow& w : c.worst) {
    std::vector<std::string> cells{text(w.row), w.output, w.expected, w.given, std::isfinite(w.error) ? shown_error(w.error) : "-"};
    for (size_t i = 0; i < columns; ++i) cells.push_back(shown_cell(table->columns[i], size_t(w.row)).substr(0, 60));
    out += row_of(cells);
  }
  return out + "</table></div>\n";
}

constexpr std::string_view style =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:2em auto;padding:0 1em;color:#222}"
    ".verdict{padding:.6em 1em;border-radius:6px;font-size:1.3em;color:#fff}.same{background:#1a7f37}.different{background:#b42318}"
    "table{border-collapse:collapse;margin:.6em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left;font-variant-numeric:tabular-nums}"
    "th{background:#f3f3f3}.wide{overflow-x:auto}.plots{display:flex;flex-wrap:wrap}figure{margin:0 1em 1em 0}figcaption{font-weight:600}"
    "svg text{font-size:12px;fill:#444}.frame{fill:none;stroke:#999}.diagonal{stroke:#bbb}circle{fill:#0969da;fill-opacity:.5}circle.off{fill:#b42318;fill-opacity:1}"
    ".bar{fill:#0969da}code{background:#f3f3f3;padding:.1em .3em}";

}  // namespace

std::string report_html(const Comparison& c, const ReportContext& context) {
  std::string out = text("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>onward validate: ", escaped(context.model), "</title><style>", style, "</style></head><body>\n");
  out += text("<p class=\"verdict ", c.ok() ? "same\">The same" : "different\">Different", ": ", c.failing_count, " of ", c.rows, " rows differ</p>\n");
  out += text("<p>Labels and whole numbers must be equal; numbers must lie within the tolerance. Expected: ", escaped(c.expected_by), ". Given: ", escaped(c.given_by), ".</p>\n");
  out += "<h2>Outputs</h2><table>" + row_of({"output", "compared", "differing", "largest difference", "largest relative", "mean", "tolerance"}, "th");
  for (const OutputComparison& o : c.outputs) {
    if (!o.problem.empty()) out += row_of({o.name, o.problem});
    else if (o.exact) out += row_of({o.name, text(o.compared), text(o.differing), "-", "-", "-", "equal or not"});
    else out += row_of({o.name, text(o.compared), text(o.differing), shown_error(o.max_absolute), shown_error(o.max_relative), shown_error(o.mean_absolute), text(shown_error(o.absolute), " + ", shown_error(o.relative), " × |expected|")});
  }
  out += "</table>\n<h2>Rows refused</h2><table>" + row_of({"by both", "by the source alone", "by the model alone", "why"}, "th") +
         row_of({text(c.refused_by_both), text(c.refused_by_expected), text(c.refused_by_given), c.why_refused}) + "</table>\n<div class=\"plots\">\n";
  size_t plots = 0;
  for (const OutputComparison& o : c.outputs)
    if (o.problem.empty() && !o.exact && plots++ < 4) out += parity_plot(o) + histogram_plot(o);
  out += "</div>\n";
  for (const OutputComparison& o : c.outputs)
    if (!o.disagreements.empty()) out += disagreement_table(o);
  out += worst_table(c, context.table);
  out += "<h2>Environment</h2><table>" + row_of({"onward", std::string(version)}) + row_of({"model", context.model + " " + context.model_sha256}) + row_of({"source", context.source + " " + context.source_sha256}) +
         row_of({"data", context.data}) + row_of({"seconds of the source", text(c.expected_seconds)}) + row_of({"seconds of the model", text(c.given_seconds)}) + "</table>\n";
  if (!context.command.empty()) out += text("<p>To run it again: <code>", escaped(context.command), "</code></p>\n");
  return out + "</body></html>\n";
}

}  // namespace onward
