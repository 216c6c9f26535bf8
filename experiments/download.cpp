#include "experiments/download.h"

#include <curl/curl.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "core/error.h"
#include "core/files.h"

namespace logodds {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;

/// One transfer into the partial file.
class Transfer {
 public:
  Transfer(const Download& download, const fs::path& partial) : download_(download), partial_(partial) {
    std::error_code absent;
    const auto there = fs::file_size(partial, absent);
    start_ = absent ? 0 : static_cast<curl_off_t>(there);
    file_.reset(std::fopen(partial.c_str(), "ab"));
    if (!file_) throw io_error(partial.string() + ": cannot be written");
    if (!curl_) throw Error("libcurl cannot start", ExitCode::internal);
    set(CURLOPT_URL, download.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    set(CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(download.stall_seconds));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(download.stall_seconds));
    set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(kMostBytes));
    // Not CURLOPT_RESUME_FROM: with it a server that ignores ranges is an error, and equal lengths are taken for equal.
    range_ = std::to_string(start_) + "-";
    if (start_ > 0) set(CURLOPT_RANGE, range_.c_str());
    set(CURLOPT_ERRORBUFFER, message_);
    set(CURLOPT_WRITEDATA, this);
    set(
        CURLOPT_WRITEFUNCTION,
        +[](char* data, size_t, size_t size, void* self) { return static_cast<Transfer*>(self)->write(data, size); });
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, this);
    set(
        CURLOPT_XFERINFOFUNCTION, +[](void* self, curl_off_t total, curl_off_t received, curl_off_t, curl_off_t) {
          static_cast<Transfer*>(self)->report(received, total);
          return 0;
        });
  }

  CURLcode run() {
    const CURLcode result = curl_easy_perform(curl_.get());
    if (!file_ || std::fclose(file_.release()) != 0) throw io_error(partial_.string() + ": cannot be written");
    return result;
  }

  long status() const {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  std::string message(CURLcode code) const { return message_[0] != '\0' ? message_ : curl_easy_strerror(code); }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK)
      throw Error("libcurl does not know an option that is needed", ExitCode::internal);
  }

  size_t write(const char* data, size_t size) {
    if (start_ > 0 && status() != 206) {  // the server begins anew, whatever it was asked
      file_.reset(std::fopen(partial_.c_str(), "wb"));
      start_ = 0;
    }
    written_ += static_cast<curl_off_t>(size);
    if (!file_ || start_ + written_ > kMostBytes) return 0;
    return std::fwrite(data, 1, size, file_.get());
  }

  void report(curl_off_t received, curl_off_t total) const {
    if (download_.progress) download_.progress(start_ + received, total > 0 ? start_ + total : 0);
  }

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  const Download& download_;
  const fs::path& partial_;
  curl_off_t start_ = 0, written_ = 0;
  std::string range_;
  std::unique_ptr<CURL, Close> curl_{curl_easy_init()};
  std::unique_ptr<std::FILE, Close> file_;
  char message_[CURL_ERROR_SIZE] = "";
};

/// Whether another attempt may bring the rest.
bool broke(CURLcode code) {
  return code == CURLE_PARTIAL_FILE || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_RECV_ERROR ||
         code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_COULDNT_CONNECT;
}

void transfer(const Download& download, const fs::path& partial) {
  for (int attempt = 1;; ++attempt) {
    Transfer one(download, partial);
    const CURLcode code = one.run();
    if (code == CURLE_OK) return;
    const bool nothing_left = one.status() == 416;  // the partial file is as long as the whole, or longer
    if (nothing_left) fs::remove(partial);
    if (code == CURLE_HTTP_RETURNED_ERROR && !nothing_left)
      throw io_error(download.url + ": the server answers " + std::to_string(one.status()));
    if (attempt >= download.attempts || !(broke(code) || nothing_left)) {
      throw io_error(download.url + ": " + one.message(code) +
                     (broke(code) ? "; the same command takes it up from there" : ""));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200) * attempt);
  }
}

}  // namespace

void fetch(const Download& download) {
  const fs::path partial = download.to.string() + ".partial";
  transfer(download, partial);
  const std::string content = read_file(partial, kMostBytes);
  try {
    if (download.verify) download.verify(content);
  } catch (const Error& error) {
    fs::remove(partial);
    throw io_error(download.url + ": " + error.what());
  }
  write_file_atomically(download.to, content);  // by way of the same partial file
}

}  // namespace logodds
