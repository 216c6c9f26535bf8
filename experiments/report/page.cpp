#include "experiments/report/page.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <map>
#include <stdexcept>
#include <string_view>

#include "core/embed.h"
#include "core/error.h"

LOGODDS_EMBED(logodds_report_page, LOGODDS_REPORT_PAGE)
#ifdef LOGODDS_PLOTLY
LOGODDS_EMBED(logodds_plotly, LOGODDS_PLOTLY)
#endif

namespace logodds {

namespace {

std::string_view plotly() {
#ifdef LOGODDS_PLOTLY
  return {logodds_plotly, logodds_plotly_end};
#else
  throw Error(
      "this logodds was built without plotly.js, which draws the figures of a report: ./dev build fetches it, or "
      "configure with -DLOGODDS_PLOTLY=/path/to/plotly.min.js");
#endif
}

std::string escaped_html(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

/// JSON that may stand in a script element. '<' is part of no JSON but its texts, and there \u003c is the same: no
/// text can end the element.
std::string json_in_html(const Row& row) {
  std::string text;
  for (const char c : row.dump(-1, ' ', false, Row::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;
  if (deflateInit2(&stream, 6, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib cannot begin to compress");
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib cannot compress");
  return packed;
}

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                  reinterpret_cast<const unsigned char*>(bytes.data()),
                                                  static_cast<int>(bytes.size()))));
  return text;
}

Row contents(const Page& page) {
  Row figures = Row::array();
  for (const auto& figure : page.figures) {
    figures.push_back({{"id", figure.id},
                       {"title", figure.title},
                       {"caption", figure.caption},
                       {"formula", figure.formula},
                       {"controls", figure.controls},
                       {"panels", figure.panels},
                       {"csv_note", figure.csv_note}});
  }
  return {{"title", page.title},
          {"made", page.made},
          {"runs", page.runs},
          {"configuration", page.configuration},
          {"figures", std::move(figures)}};
}

/// The template with each {{name}} replaced; what is put in is not looked at again.
std::string filled(std::string_view page, const std::map<std::string_view, std::string>& values) {
  std::string text;
  while (true) {
    const size_t begin = page.find("{{"), end = page.find("}}", begin);
    text += page.substr(0, begin);
    if (begin == std::string_view::npos) return text;
    text += values.at(page.substr(begin + 2, end - begin - 2));
    page.remove_prefix(end + 2);
  }
}

}  // namespace

std::string to_html(const Page& page) {
  std::string data;
  for (const auto& figure : page.figures) {
    data += "<script type=\"text/plain\" id=\"csv-" + figure.id + "\">" + base64(gzipped(figure.csv)) + "</script>\n";
  }
  return filled({logodds_report_page, logodds_report_page_end}, {{"title", escaped_html(page.title)},
                                                                 {"report", json_in_html(contents(page))},
                                                                 {"data", data},
                                                                 {"plotly", std::string(plotly())}});
}

}  // namespace logodds
