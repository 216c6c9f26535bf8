#include "experiments/report/browser.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"

namespace logodds {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kCommands = 3, kAnswers = 4;  ///< the descriptors of --remote-debugging-pipe
constexpr auto kPatience = std::chrono::seconds(120);

std::string unpacked_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0)
    throw io_error("the browser's picture is damaged");
  for (auto c = text.rbegin(); c != text.rend() && *c == '='; ++c) bytes.pop_back();
  return bytes;
}

/// "file:///…" of a path, whatever its characters.
std::string url_of(const fs::path& path) {
  std::string url = "file://";
  for (const unsigned char c : fs::absolute(path).string()) {
    if (std::isalnum(c) != 0 || std::strchr("/-_.~", c) != nullptr) {
      url += static_cast<char>(c);
    } else {
      std::array<char, 4> hex{};
      std::snprintf(hex.data(), hex.size(), "%%%02X", c);
      url += hex.data();
    }
  }
  return url;
}

/// A directory that is gone with the object: the browser's profile.
struct Profile {
  fs::path path;
  Profile() {
    std::string name = (fs::temp_directory_path() / "logodds-browser-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw io_error(name + ": cannot create directory: " + std::strerror(errno));
    path = name;
  }
  ~Profile() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// A headless browser, spoken to over two pipes in the DevTools protocol: JSON messages, each ended by a zero byte.
class Browser {
 public:
  explicit Browser(const fs::path& program) : program_(program) {
    int commands[2], answers[2];
    if (::pipe2(commands, O_CLOEXEC) != 0 || ::pipe2(answers, O_CLOEXEC) != 0)
      throw io_error(std::string("cannot make a pipe: ") + std::strerror(errno));
    std::vector<std::string> words{program.string(),
                                   "--headless",
                                   "--remote-debugging-pipe",
                                   "--disable-gpu",
                                   "--no-first-run",
                                   "--disable-dev-shm-usage",
                                   "--user-data-dir=" + profile_.path.string()};
    if (::geteuid() == 0) words.emplace_back("--no-sandbox");  // root's Chromium has no sandbox to start
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {  // nothing but system calls
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int in = ::fcntl(commands[0], F_DUPFD, 10), out = ::fcntl(answers[1], F_DUPFD, 10);
      ::dup2(in, kCommands);
      ::dup2(out, kAnswers);
      ::close(in);
      ::close(out);
      const int nothing = ::open("/dev/null", O_RDWR);
      for (const int standard : {0, 1, 2}) ::dup2(nothing, standard);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(commands[0]);
    ::close(answers[1]);
    to_ = commands[1], from_ = answers[0];
  }
  ~Browser() {
    ::close(to_);
    ::close(from_);
    if (process_ > 0) {
      ::kill(-process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// The value of an expression, waited for, in a page.
  Json evaluate(const std::string& url, const std::string& expression) {
    const std::string target = call("Target.createTarget", {{"url", "about:blank"}}).at("targetId");
    session_ = call("Target.attachToTarget", {{"targetId", target}, {"flatten", true}}).at("sessionId");
    call("Page.enable", Json::object());
    call("Page.navigate", {{"url", url}});
    while (!loaded_) next();
    const Json result =
        call("Runtime.evaluate", {{"expression", expression}, {"awaitPromise", true}, {"returnByValue", true}});
    if (result.contains("exceptionDetails"))
      throw io_error("the report does not draw in " + program_.string() + ": " +
                     result.at("exceptionDetails").value("text", ""));
    return result.at("result").at("value");
  }

 private:
  Json call(const std::string& method, const Json& parameters) {
    Json message{{"id", ++last_id_}, {"method", method}, {"params", parameters}};
    if (!session_.empty()) message["sessionId"] = session_;
    const std::string text = message.dump() + '\0';
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t count = ::write(to_, text.data() + sent, text.size() - sent);
      if (count <= 0) throw ended();
      sent += static_cast<size_t>(count);
    }
    while (true) {
      const Json answer = next();
      if (answer.value("id", 0) != last_id_) continue;
      if (answer.contains("error")) throw io_error(program_.string() + ": " + answer.at("error").value("message", ""));
      return answer.at("result");
    }
  }

  Json next() {
    while (true) {
      const size_t end = received_.find('\0');
      if (end != std::string::npos) {
        const Json message = Json::parse(received_.substr(0, end));
        received_.erase(0, end + 1);
        loaded_ = loaded_ || message.value("method", "") == "Page.loadEventFired";
        return message;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      pollfd wait{.fd = from_, .events = POLLIN, .revents = 0};
      if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) == 0)
        throw io_error(program_.string() + " has not drawn the report within two minutes");
      std::array<char, 65536> bytes{};
      const ssize_t count = ::read(from_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) throw ended();
      received_.append(bytes.data(), static_cast<size_t>(count));
    }
  }

  Error ended() const {
    return io_error(program_.string() + " ended before it had drawn the report; try: " + program_.string() +
                    " --headless --dump-dom about:blank");
  }

  using Clock = std::chrono::steady_clock;
  fs::path program_;
  Profile profile_;
  pid_t process_ = -1;
  int to_ = -1, from_ = -1, last_id_ = 0;
  std::string session_, received_;
  bool loaded_ = false;
  Clock::time_point deadline_ = Clock::now() + kPatience;
};

}  // namespace

fs::path find_browser() {
  const char* chosen = std::getenv("LOGODDS_BROWSER");
  const char* path = std::getenv("PATH");
  for (const std::string name : {"chromium", "chromium-browser", "google-chrome", "chrome"}) {
    if (chosen != nullptr) break;
    std::istringstream directories(path == nullptr ? "" : path);
    for (std::string directory; std::getline(directories, directory, ':');) {
      const fs::path program = fs::path(directory) / name;
      if (::access(program.c_str(), X_OK) == 0) return program;
    }
  }
  if (chosen != nullptr && ::access(chosen, X_OK) == 0) return chosen;
  throw Error(
      chosen != nullptr
          ? "LOGODDS_BROWSER: '" + std::string(chosen) + "' is not a program that can be started"
          : "--figures draws with Chromium or Chrome, and neither is on PATH: install the package chromium, or name "
            "the program in LOGODDS_BROWSER");
}

void write_pictures(const fs::path& browser, const fs::path& report, const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw io_error(directory.string() + ": cannot create directory: " + error.message());
  std::signal(SIGPIPE, SIG_IGN);
  const Json pictures = Browser(browser).evaluate(
      url_of(report),
      "window.logodds.drawn.then(async () => { const all = []; for (const view of window.logodds.views) "
      "all.push(await view.pictures()); return all; })");
  for (const auto& picture : pictures) {
    const std::string id = picture.at("id");
    write_file_atomically(directory / (id + ".svg"), picture.at("svg").get<std::string>() + "\n");
    write_file_atomically(directory / (id + ".png"), unpacked_base64(picture.at("png")));
  }
}

}  // namespace logodds
