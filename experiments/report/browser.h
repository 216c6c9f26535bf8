#pragma once

#include <filesystem>

namespace logodds {

/// The user's Chromium or Chrome: LOGODDS_BROWSER, else the first of chromium, chromium-browser, google-chrome, chrome
/// that is on PATH. Throws Error where there is none.
std::filesystem::path find_browser();

/// Opens a report (experiments/report/page.h) in it, without a window, and writes each figure as ID.svg and ID.png, at
/// three pixels per point, into a directory, which is made where it does not exist. Throws Error.
void write_pictures(const std::filesystem::path& browser, const std::filesystem::path& report,
                    const std::filesystem::path& directory);

}  // namespace logodds
