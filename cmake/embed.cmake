# cmake -P: writes OUTPUT, C++ that holds the text FILES under their paths from SOURCE.
set(rows "")
foreach(file IN LISTS FILES)
  file(RELATIVE_PATH name ${SOURCE} ${file})
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"file(${text})file\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"experiments/embedded.h\"\n
namespace logodds {\n
std::span<const EmbeddedFile> embedded_files() {
  static const EmbeddedFile files[] = {\n${rows}  };
  return files;
}\n
}  // namespace logodds\n")
