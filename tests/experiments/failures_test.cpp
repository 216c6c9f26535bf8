// What a user can do wrong, a case per failure: the command, the line that it ends with (… stands for anything), the
// exit code. docs/failures.md is made from these cases.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/files.h"
#include "core/manifest.h"
#include "core/safetensors.h"
#include "experiments/program.h"
#include "tests/temporary_directory.h"

namespace logodds {
namespace {

namespace fs = std::filesystem;

/// A command of `logodds`, its words apart by spaces where there are no quotes; what begins with ! runs in a process of
/// its own, as it trains in others.
struct Failure {
  const char* command;
  const char* line;
  int code;
};

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words(1, "logodds");
  bool quoted = false, begun = false;
  for (const char c : command) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      begun = false;
    } else {
      if (!begun) words.emplace_back();
      begun = true;
      words.back() += c;
    }
  }
  return words;
}

/// Whether a line of the text is the pattern, in which … stands for anything within a line.
bool has_line(const std::string& text, std::string pattern) {
  const std::string any = "…";
  std::vector<std::string> parts;
  for (size_t at; (at = pattern.find(any)) != std::string::npos; pattern.erase(0, at + any.size())) {
    parts.push_back(pattern.substr(0, at));
  }
  parts.push_back(pattern);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    bool fits = line.starts_with(parts.front()) && line.ends_with(parts.back());
    size_t at = 0;
    for (const auto& part : parts) {
      at = fits ? line.find(part, at) : std::string::npos;
      fits = at != std::string::npos;
      at += part.size();
    }
    if (fits) return true;
  }
  return false;
}

std::string safetensors(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

std::string repeated(const std::string& piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string numbered(const std::string& before, size_t times, const std::string& after) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += before + std::to_string(i) + after;
  return text;
}

std::string images(unsigned char height, unsigned char width) {
  return std::string("\0\0\x08\x03\0\0\0\x02\0\0\0", 11) + static_cast<char>(height) + std::string(3, '\0') +
         static_cast<char>(width) + std::string(2 * height * width, '\x01');
}

const std::string kPairs =
    "task: {kind: modular_addition, p: 5}\nmodel: {kind: mlp, d_embed: 2, hidden: [3]}\nthreads: 1\n"
    "training: {steps: 2, evaluate_every_steps: 1, checkpoint_every_steps: 1}\n";
const std::string kImages =
    "task: {kind: mnist, train_size: 20, test_size: 20}\nmodel: {kind: mlp, hidden: [4]}\nthreads: 1\n"
    "training: {steps: 1}\n";
const std::string kForecasters =
    "task: {kind: forecasters, features: 2, train_size: 64, test_size: 64}\n"
    "model: {kind: forecaster_ensemble, hidden: []}\nloss: binary_logistic\nthreads: 1\ntraining: {steps: 1}\n";
const std::string kLabels = std::string("\0\0\x08\x01\0\0\0\x02\x03\x04", 10);
const std::string kFigure = "figures: [{what: x, published: 1, measure: grok_step}]\n";
const std::string kHead = "title: t\nsource: s\n";

/// Files of the working directory.
std::map<std::string, std::string> files() {
  const std::string four(4, 'x'), digest(64, '0');
  return {
      {"pairs.yaml", kPairs},
      {"pack.yaml", kPairs + "runs: {seed: [0, 1]}\n"},
      {"images.yaml", kImages},
      {"forecasters.yaml", kForecasters},
      {"sweep.yaml", kPairs + "sweep: {seed: [0, 1]}\n"},
      {"large.yaml", std::string((1 << 20) + 1, ' ')},
      {"larger.yaml", std::string((1 << 20) + 2, ' ')},
      {"nul.yaml", std::string("a: \0", 4)},
      {"no-kind.yaml", "task: {p: 5}\nmodel: mlp\n"},
      {"unknown.yaml", "task: modular_addition\nmodel: mlp\n" + numbered("key", 200, ": 1\n")},
      {"wide-sweep.yaml", kPairs + "sweep:\n" + numbered("  key", 65, ": [1]\n")},
      {"lists/object", safetensors(R"({"a":5})", "")},
      {"lists/keys", safetensors(R"({"a":{"dtype":"F32"}})", "")},
      {"lists/type", safetensors(R"({"a":{"dtype":"F3","shape":[1],"data_offsets":[0,4]}})", four)},
      {"lists/shape", safetensors(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", four)},
      {"lists/size", safetensors(R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}})", four)},
      {"lists/offsets", safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":["x",4]}})", four)},
      {"lists/bytes", safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]}})", four)},
      {"lists/short", "1234567"},
      {"lists/header", "12345678"},
      {"lists/json", safetensors("[]", "")},
      {"lists/gap", safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})", four)},
      {"lists/rest", safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", four)},
      {"bad-sums", "0123  x\n"},
      {"other-sums", digest + "  other\n"},
      {"sums", digest + "  train-images-idx3-ubyte.gz\n"},
      {"d/train-images-idx3-ubyte.gz", images(2, 2)},
      {"blocked/train-images-idx3-ubyte.gz.partial/x", ""},
      {"two-sizes/train-images-idx3-ubyte", images(2, 2)},
      {"two-sizes/train-labels-idx1-ubyte", kLabels},
      {"two-sizes/t10k-images-idx3-ubyte", images(2, 3)},
      {"two-sizes/t10k-labels-idx1-ubyte", kLabels},
      {"words.txt", "a,b\n"},
      {"empty.txt", "# nothing\n"},
      {"wide.csv", repeated("0,", 513) + "\n"},
      {"long.csv", repeated("0\n", 513)},
      {"nothing.yaml", "core_minutes: 1\n"},
      {"wrong.yaml", kHead + "settings: {a: 5, b: {config: demo}}\nfigures: [7, {published: x, where: [1]}]\n"},
      {"many.yaml", kHead + "settings: {" + numbered("s", 65, ": {config: demo}, ") + "}\n" + kFigure},
      {"many-figures.yaml",
       kHead + "settings: {a: {config: demo}}\nfigures: [" + repeated("{what: x, published: 1}, ", 65) + "]\n"},
      {"elsewhere.yaml", kHead + "settings: {../a: {config: demo}}\n" + kFigure},
      {"typo.yaml", kHead + "settings: {a: {task: modular_addition, model: mlp, typo: 1}}\n" + kFigure},
      {"entry.yaml", kHead + "settings:\n  a: {config: pairs.yaml, sweep: {seed: [0, 1]}}\n  b: {config: pairs.yaml}\n"
                             "figures:\n"
                             "  - {what: seed, published: 1, measure: grok_step, where: {seed: 7}}\n"
                             "  - {what: runs, published: 1, measure: grok_step, against: b}\n"
                             "  - {what: circuits, published: 1, measure: {kind: inspected, figure: nothing}}\n"
                             "  - {what: inside, published: 1, measure: {kind: inspected, figure: sets.nothing}}\n"
                             "  - {what: column, published: 1, measure: {kind: value, column: nothing}}\n"
                             "  - {what: step, published: 1, measure: {kind: value, column: train_loss, step: 7}}\n"},
  };
}

std::string output(const std::vector<std::string>& words, int& code) {
  std::vector<const char*> argv;
  for (const auto& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  code = run_program(static_cast<int>(argv.size()), argv.data());
  testing::internal::GetCapturedStdout();
  return testing::internal::GetCapturedStderr();
}

/// A directory with those files and with runs: of pairs, packed, of images (and not linear ones), of forecasters, and
/// copies of the first that are damaged.
class Failures : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    place = new TemporaryDirectory;
    fs::current_path(*place / "");
    for (const auto& [name, content] : files()) {
      fs::create_directories(fs::absolute(name).parent_path());
      std::ofstream(name, std::ios::binary) << content;
    }
    for (const char* command : {"train pairs.yaml --out r", "train pack.yaml --out pack", "train images.yaml --out m",
                                "train images.yaml model.activation=gelu --out gelu", "train forecasters.yaml --out f",
                                "export r e", "llc r chains=2 draws=4 burn_in=1 --state chains"}) {
      int code = 0;
      const std::string said = output(words_of(command), code);
      if (code != 0 && code != 6) broken += command + (": " + said);
    }
    damage("members", "metrics.jsonl", "{\"step\":0" + numbered(",\"a", 10001, "\":0") + "}\n");
    damage("no-step", "metrics.jsonl", "{\"run\":0}\n");
    damage("inner", "metrics.jsonl", "{\"step\":0,\"x\":{}}\n");
    damage("unbegun", "metrics.jsonl", "");
    damage("unordered", "metrics.jsonl", "{\"step\":1,\"run\":0}\n{\"step\":0,\"run\":0}\n");
    damage("strange", "metrics.jsonl", "{\"step\":0,\"run\":7}\n");
    damage("mixed", "config.yaml", read_file("pack/config.yaml"));
    damage("older", "config.yaml", read_file("pack/config.yaml"));
    fs::remove("older/manifest.json");  // earlier versions wrote none
    std::string weights = read_file("r/checkpoints/00000002/run-0.safetensors");
    weights.back() ^= 1;
    damage("bad-sha", "checkpoints/00000002/run-0.safetensors", weights);
    damage("bad-json", "checkpoints/00000002/manifest.json", "x");
    damage("not-as-written", "checkpoints/00000002/manifest.json", "{}");
    damage("unlisted", "checkpoints/00000002/manifest.json", "");
    Manifest().write("unlisted/checkpoints/00000002");
    damage("moved", "config.yaml", read_file("r/config.yaml"));
    fs::copy("r/checkpoints/00000002", "moved/checkpoints/00000009", fs::copy_options::recursive);
    fs::create_directories("waiting");
    std::ofstream("waiting/sweep.yaml") << read_file("sweep.yaml");
    std::ofstream("waiting/slurm") << "";
  }
  void SetUp() override { ASSERT_EQ(broken, "") << "what the cases need could not be made"; }
  static void TearDownTestSuite() {
    fs::current_path("/");
    delete place;
  }
  static void damage(const std::string& name, const std::string& file, const std::string& content) {
    fs::copy("r", name, fs::copy_options::recursive);
    std::ofstream(fs::path(name) / file, std::ios::binary) << content;
  }

  void expect(const std::vector<Failure>& failures) {
    for (const auto& [command, line, expected] : failures) {
      int code = 0;
      std::string said;
      if (command[0] == '!') {
        const int status = std::system((std::string(LOGODDS_PROGRAM) + " " + (command + 1) + " >out 2>err").c_str());
        code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        said = read_file("err");
      } else {
        said = output(words_of(command), code);
      }
      EXPECT_EQ(code, expected) << command << "\n" << said;
      EXPECT_TRUE(has_line(said, line)) << command << "\n  expected " << line << "\n  it said  " << said;
    }
  }

  static inline TemporaryDirectory* place = nullptr;
  static inline std::string broken;  ///< of what was to be made
};

TEST_F(Failures, CommandLines) {
  expect({
      {"", "A subcommand is required", 2},
      {"trian pairs.yaml", "'trian' is not a command (did you mean 'train'?)", 2},
      {"train pairs.yaml --resum", "The following argument was not expected: --resum", 2},
      {"train", "CONFIG is required", 2},
      {"sweep sweep.yaml --workers 0", "--workers: Value 0 not in range 1 to 4096", 2},
      {"inspect r --drop a --keep b", "… excludes …", 2},
      {"inspect --weights w", "--weights requires --config", 2},
      {"data nowhere", "NAME: nowhere not in {…}", 2},
      {"train pairs.yaml steps",
       "command line: 'steps' is not an override; write key=value, such as optimizer.weight_decay=0", 2},
      {"train pairs.yaml model..x=1", "command line 'model..x=1': a part of the key 'model..x' is empty", 2},
      {"train pairs.yaml model.hidden.x=1", "command line 'model.hidden.x=1': 'hidden' is a list, it has no keys", 2},
      {"train pairs.yaml a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1",
       "command line '…': the key has more than 32 parts", 2},
      {"inspect r --drop ,a", "',a' has an empty name of a circuit", 2},
      {"inspect r --input seven", "--input must be whole numbers such as 17,45, not 'seven'", 2},
      {"list nothing", "'nothing' is not a kind of component…", 2},
      {"table r --summary", "r: --summary is for sweeps, and this is no sweep", 2},
      {"llc pack --state x", "--state keeps the chains of one run: name it with --run, and leave out --calibrate", 2},
      {"sweep sweep.yaml --shard 3/2", "--shard: '3/2' must be I/N with I in 0 … N-1, such as 0/8", 2},
      {"sweep sweep.yaml --slurm=--time=x",
       "--slurm: 'x' is no time limit; write minutes, hours:minutes:seconds or days-hours:minutes", 2},
      {"sweep sweep.yaml --slurm=--array=3", "--slurm: '--array=3' is set by the sweep itself; leave it out", 2},
      {"sweep sweep.yaml --slurm=--time=0", "--slurm: a time limit of 0 leaves nothing to plan with; name one", 2},
      {"sweep sweep.yaml --slurm=--cpus-per-task=0", "--slurm: '0' is no number of CPUs", 2},
      {"sweep sweep.yaml --slurm --tasks 1", "'sbatch …' failed: …", 4},
      {"!sweep sweep.yaml --slurm --out diverging optimizer.learning_rate=1e30",
       "--slurm: how long a training takes could not be measured on this machine; say how many tasks the array is to "
       "have with --tasks N",
       2},
  });
}

TEST_F(Failures, Configurations) {
  expect({
      {"train .", ".: is not a regular file", 4},
      {"train larger.yaml", "larger.yaml: is larger than 1048577 bytes", 4},
      {"train large.yaml", "large.yaml: larger than 1 MiB, so not a configuration", 2},
      {"train nul.yaml", "nul.yaml: contains a NUL byte, so not a text file", 2},
      {"train unknown.yaml", "(further problems are not listed)", 2},
      {"train no-kind.yaml", "no-kind.yaml:1:7: 'task.kind' is missing; it must name one of tasks (…)", 2},
      {"train pairs.yaml 'task={kind: group, group: [1]}'", "…: 'task.group' must be text, not a list", 2},
      {"train pairs.yaml training=5", "…: 'training' must be a map of keys, not '5'", 2},
      {"train pairs.yaml 'hooks={margins: 3}'", "…: 'hooks.margins' must be a map of keys, not '3'", 2},
      {"train pairs.yaml runs=[1]",
       "…: 'runs' must be a map of keys with a list of values each, such as {seed: [0, 1]}, not a list", 2},
      {"train pairs.yaml 'runs={seed: []}'", "…: 'runs.seed' must be a list with at least one value, not an empty list",
       2},
      {"train pairs.yaml loss=binary_logistic",
       "the loss 'binary_logistic' is for two classes, and the task has 5; use 'cross_entropy'", 2},
      {"train pairs.yaml 'theory={loss: }'",
       "'theory' compares with what is known of the task, and of 'modular_addition' nothing is; leave it out", 2},
      {"train pairs.yaml model.d_embed=100000000000000",
       "this machine has not the memory for that: take a smaller model, fewer runs at once or fewer examples", 2},
      {"train pairs.yaml training.batch_size=1000", "training.batch_size (1000) is larger than the training set of 7",
       2},
      {"train pairs.yaml task.train_fraction=0.001", "…'train_fraction' leaves no training pair of 25", 2},
      {"train pairs.yaml 'task={kind: group}'",
       "…exactly one of 'group' (such as S5) and 'table' (a CSV file) must be given", 2},
      {"train pairs.yaml 'task={kind: group, group: Q8}'",
       "…'group' must be S2 to S5, D3 to D256, Z2 to Z512, or a product such as Z4xZ7 of at most 512 elements, not "
       "'Q8'",
       2},
      {"train pairs.yaml 'task={kind: group, table: wide.csv}'",
       "…wide.csv:1: has more than 512 entries, and a group may have at most 512 elements", 2},
      {"train pairs.yaml 'task={kind: group, table: long.csv}'", "…long.csv: a group may have at most 512 elements", 2},
      {"train pairs.yaml 'task={kind: majority, features: 4}'", "…'features' must be odd, so that there is a majority",
       2},
      {"train images.yaml task.directory=two-sizes task.train_size=1 task.test_size=1",
       "…two-sizes: the images of train and of t10k are not of one size", 4},
      {"train forecasters.yaml task.shown=9", "…'shown' (9) is more than there are 'features' (2)", 2},
      {"train forecasters.yaml task.channel=coin task.correlation=0.5",
       "…'correlation' is of the channel 'gaussian'; this is 'coin'", 2},
      {"train forecasters.yaml loss=mse task.classes=3 task.prior=0.4",
       "…'prior' is that of class 1 of two; 3 classes are equally likely", 2},
      {"train forecasters.yaml task.channel=von_mises",
       "…'features' of the channel 'von_mises' have distinct frequencies: 2 need at least 5 'classes', not 2", 2},
      {"train forecasters.yaml task.channel=coin task.accuracy=0.5",
       "…'accuracy' must be above that of a guess among 2 classes", 2},
      {"train forecasters.yaml task.copies=2",
       "…'copies' (2) are more than half of the 'features' (2): each repeats another one", 2},
      {"train pairs.yaml model.hidden=[]", "…'hidden' must list at least one width", 2},
      {"train pairs.yaml model=cnn", "…it reads images, and the inputs of this task are none; take 'mlp'", 2},
      {"train images.yaml 'model={kind: cnn, channels: []}'", "…'channels' must list at least one convolution", 2},
      {"train images.yaml 'model={kind: cnn, channels: [1, 1, 1, 1, 1]}'",
       "…nothing of an image of 28 × 28 is left after convolution 4; take fewer channels, a smaller 'kernel' or a "
       "smaller 'pool'",
       2},
      {"train pairs.yaml model=forecaster_ensemble", "…this task has tokens, not features; use 'mlp' or 'transformer'",
       2},
      {"train images.yaml model=transformer",
       "…a transformer reads tokens, and the task's inputs are numbers; 'mlp' reads them", 2},
      {"train pairs.yaml task.p=2 model=transformer loss=binary_logistic",
       "…a transformer makes a logit per class: use the loss 'cross_entropy'", 2},
      {"train pairs.yaml 'schedule={kind: cosine, steps: 2, warmup_steps: 2}'",
       "…'warmup_steps' (2) must be less than 'steps' (2)", 2},
      {"train pairs.yaml 'schedule={kind: multi_step, milestones: [2, 1]}'",
       "…'milestones' must rise, each above the one before", 2},
      {"train pairs.yaml 'transforms={l23_penalty: {}}'",
       "…it is defined for an mlp with one hidden layer, no biases and no embedding: model: {kind: mlp, embedding: "
       "one_hot, hidden: [M], bias: false}",
       2},
      {"train forecasters.yaml --out slingshot 'hooks={slingshot: {}}'",
       "the hook 'slingshot' needs a model with a hidden layer ('hook_post')", 2},
      {"train forecasters.yaml --out untested task.test_size=0 'theory={loss: }'",
       "'theory' needs test examples: set task.test_size", 2},
      {"train forecasters.yaml --out memorised 'theory={capacity: }' task.train_size=1 training.steps=50 "
       "optimizer.learning_rate=0.1",
       "capacity: the largest 'train_size' was memorised; larger ones are needed to find the limit", 2},
      {"train forecasters.yaml --out ablated task.features=13 'theory={ablation: }'",
       "ablation takes all subsets of at most 12 features, and 13 are shown", 2},
      {"train forecasters.yaml --out unanimous 'theory={unanimous_odds: }'",
       "unanimous features are of the channels 'coin' and 'erasure' with two classes", 2},
      {"train pairs.yaml --out diverged optimizer.learning_rate=1e300",
       "step …: the training loss of run 0 (seed 0) is not finite, nor is the … in … numbers; the update was not made. "
       "A smaller learning rate is the usual remedy",
       5},
  });
}

TEST_F(Failures, Sweeps) {
  expect({
      {"sweep wide-sweep.yaml", "wide-sweep.yaml:…: 'sweep' has more than 64 keys", 2},
      {"sweep pairs.yaml 'sweep={pack_runs: 0, seed: [0]}'", "…: 'sweep.pack_runs' must be a whole number in [1, 4096]",
       2},
      {"sweep pairs.yaml 'sweep={zip: [1]}'", "…: 'sweep.zip' must be a map of keys whose values advance together", 2},
      {"sweep pairs.yaml 'sweep={seed: {from: 0, count: 2, scale: log}}'", "…: 'sweep.seed' needs 'to' beside 'scale'",
       2},
      {"sweep pairs.yaml 'sweep={seed: {from: 0, to: 1, count: 2, scale: log}}'",
       "…: 'sweep.seed' has 'scale: log': it needs 'from' and 'to' above 0", 2},
      {"sweep sweep.yaml --out r --status", "r: is not the directory of a sweep (it has no sweep.yaml)", 4},
      {"sweep sweep.yaml --out pairs.yaml/x", "pairs.yaml/x: cannot create directory: …", 4},
      {"sweep sweep.yaml --out waiting --slurm --tasks 1", "waiting/slurm: cannot create directory: …", 4},
      {"llc waiting", "waiting: no training of this sweep is finished", 4},
  });
}

TEST_F(Failures, RunDirectories) {
  expect({
      {"train pairs.yaml --out pairs.yaml/x", "pairs.yaml/x: cannot create directory: …", 4},
      {"train pairs.yaml --out r --resume model.d_embed=4",
       "r/config.yaml: the run was started with another configuration: there '…', now '…'; only training.steps may "
       "change on --resume",
       2},
      {"train unbegun/config.yaml --resume training.steps=3", "unbegun/checkpoints: holds no usable checkpoint", 4},
      {"check unbegun", "unbegun/metrics.jsonl: is shorter than its checkpoint says (0 < … bytes)", 4},
      {"check unordered", "unordered/metrics.jsonl:2: is not behind the line before it, by step and run", 4},
      {"check strange", "strange/metrics.jsonl:1: belongs to a run that the configuration does not have", 4},
      {"verify-resume pairs.yaml --steps 1",
       "verify-resume needs at least 2 steps, to stop after the first; set --steps", 2},
      {"train mixed/config.yaml --resume",
       "mixed/config.yaml: is damaged: it has … bytes, and not … as in manifest.json; a run is continued only as it "
       "began",
       4},
      {"train older/config.yaml --resume", "the checkpoint holds 1 runs, the configuration makes 2", 4},
      {"inspect mixed", "mixed: the checkpoint is of another configuration", 4},
      {"inspect bad-sha --step 2",
       "bad-sha/checkpoints/00000002/run-0.safetensors: is damaged: its SHA-256 is not the one in manifest.json", 4},
      {"inspect bad-json --step 2", "bad-json/checkpoints/00000002/manifest.json: not a JSON object", 4},
      {"inspect not-as-written --step 2",
       "not-as-written/checkpoints/00000002/manifest.json: is damaged: it is not as it was written", 4},
      {"inspect unlisted --step 2", "unlisted/checkpoints/00000002/manifest.json: does not list state.json", 4},
      {"inspect moved --step 9", "moved/checkpoints/00000009/state.json: belongs to another step", 4},
      {"plot unbegun", "unbegun/metrics.jsonl: has no evaluation yet", 4},
      {"plot members", "members/metrics.jsonl:1: has more than 10000 members", 4},
      {"plot no-step", "no-step/metrics.jsonl:1: not a row of metrics: 'step' is not a whole number", 4},
      {"table inner", "inner/metrics.jsonl:1: not a row of metrics: 'x' is not a number, null, text or a list of them",
       4},
      {"table r --tensorboard pairs.yaml/x", "pairs.yaml/x/…: cannot create directory: …", 4},
      {"theory r", "the run's configuration has no 'theory'; 'logodds list claims' says what can stand there", 2},
      {"export r pairs.yaml/x", "pairs.yaml/x: cannot create directory: …", 4},
  });
}

TEST_F(Failures, WeightsAndSplits) {
  expect({
      {"inspect --config pairs.yaml --weights lists/object", "lists/object: tensor 'a' is not described by an object",
       4},
      {"inspect --config pairs.yaml --weights lists/keys", "lists/keys: tensor 'a' lacks dtype, shape or data_offsets",
       4},
      {"inspect --config pairs.yaml --weights lists/type", "lists/type: tensor 'a' has the unsupported dtype 'F3'", 4},
      {"inspect --config pairs.yaml --weights lists/shape",
       "lists/shape: tensor 'a' has a shape that is not a list of sizes", 4},
      {"inspect --config pairs.yaml --weights lists/size", "lists/size: tensor 'a' is larger than the file", 4},
      {"inspect --config pairs.yaml --weights lists/offsets",
       "lists/offsets: tensor 'a' has data_offsets that are not positions", 4},
      {"inspect --config pairs.yaml --weights lists/bytes",
       "lists/bytes: tensor 'a' has data_offsets that do not match its shape and the file's size", 4},
      {"inspect --config pairs.yaml --weights lists/short", "lists/short: too short for a safetensors file", 4},
      {"inspect --config pairs.yaml --weights lists/header",
       "lists/header: not a safetensors file, or cut short: its header is longer than the file", 4},
      {"inspect --config pairs.yaml --weights lists/json",
       "lists/json: not a safetensors file: its header is not a JSON object", 4},
      {"inspect --config pairs.yaml --weights lists/gap", "lists/gap: tensor 'a' overlaps another or leaves a gap", 4},
      {"inspect --config pairs.yaml --weights lists/rest", "lists/rest: has bytes that belong to no tensor", 4},
      {"inspect --config pack.yaml --weights e/model.safetensors",
       "the configuration makes 2 runs, a weights file holds one: leave out 'runs'", 2},
      {"inspect --config pairs.yaml --weights e/model.safetensors --split words.txt",
       "words.txt:1: 'a' is not a whole number; a line is an input such as 17,45", 2},
      {"inspect --config pairs.yaml --weights e/model.safetensors --split empty.txt",
       "empty.txt: names no training input", 2},
  });
}

TEST_F(Failures, DataSets) {
  expect({
      {"data mnist --sha256 bad-sums", "bad-sums:1: a line is a SHA-256 and a file's name, as sha256sum prints", 2},
      {"data mnist --sha256 other-sums --out new", "other-sums: has no line for train-images-idx3-ubyte.gz", 2},
      {"data mnist --out pairs.yaml/x", "pairs.yaml/x: cannot create directory: …", 4},
      {"data mnist --sha256 sums --out d",
       "d/train-images-idx3-ubyte.gz: is not the file with SHA-256 …; it has …; remove it to fetch it again", 4},
      {"data kmnist --out d",
       "d/train-images-idx3-ubyte.gz: holds 2 entries of another shape than the 60000 that belong there; remove it to "
       "fetch it again",
       4},
      {"data mnist --url http://127.0.0.1:1 --out blocked",
       "blocked/train-images-idx3-ubyte.gz.partial: cannot be written", 4},
      {"data mnist --url http://127.0.0.1:1 --out none",
       "http://127.0.0.1:1/train-images-idx3-ubyte.gz: …; the same command takes it up from there", 4},
  });
}

TEST_F(Failures, Circuits) {
  expect({
      {"inspect r --input 1", "an input of this task is two numbers a,b", 2},
      {"inspect m --input 99999", "an input of mnist is the number of an image, 0 to 9999", 2},
      {"inspect f --input 999",
       "an input of a sampled task is the number of an example, 0 to 127; the test examples begin at 64", 2},
      {"inspect r --circuits forecasters", "…only the model 'forecaster_ensemble' has a network per feature", 2},
      {"inspect r --circuits input_gradient", "…the inputs are tokens, and tokens have no gradient", 2},
      {"inspect r --circuits patch_shapley", "…the inputs are tokens, and no part of a token can be left out", 2},
      {"inspect r --circuits '{kind: unit_clusters, clusters: 9}'",
       "…'clusters' (9) is more than the 3 units of the last hidden layer", 2},
      {"inspect m --circuits '{kind: input_gradient, rows: 29}'",
       "…29 × 4 patches are more than an image of 28 × 28 has", 2},
      {"inspect gelu --circuits input_gradient --examples 10",
       "…the network is not linear inside its activation regions, which input times gradient needs; take relu", 2},
      {"inspect m --circuits irreducible_representations",
       "…the classes of this task form no group that is known; tasks 'group' and 'modular_addition' have one", 2},
      {"inspect m --circuits neuron_clusters",
       "…neurons have frequencies on all pairs (a, b) of Z_p, and the inputs of this task are others", 2},
      {"inspect m --circuits '{kind: output_frequency, split: true}'",
       "…'split' needs all pairs (a, b) of Z_p as inputs and p classes, and this task has others", 2},
      {"inspect m --circuits '{kind: patch_shapley, rows: 4, columns: 4}'",
       "…16 patches have too many subsets: at most 10", 2},
      {"inspect m --circuits '{kind: patch_shapley, backgrounds: 5000}'",
       "…10000 examples take … evaluations of the network, and at most 4000000 are made; take at most … examples "
       "(inspect "
       "--examples), fewer patches or fewer backgrounds",
       2},
  });
}

TEST_F(Failures, Chains) {
  expect({
      {"llc r --state e/model.safetensors", "e/model.safetensors: holds no chains", 4},
      {"llc r chains=2 draws=4 burn_in=1 localisation=3 --state chains",
       "chains: these chains were begun on another run, step, or with other settings; only 'draws' may change", 2},
      {"llc r parameters=nothing", "'parameters': the model has no 'nothing'…", 2},
      {"llc r classes=[99]", "'examples' and 'classes' leave 0 examples; a learning coefficient needs at least two", 2},
      {"llc r sampler=sgld batch_size=1000", "'batch_size' (1000) is larger than the 7 examples", 2},
      {"llc r sampler=mala batch_size=2", "…mala accepts and rejects on all examples: 'batch_size' must be 0", 2},
      {"llc r sampler=rmsprop_sgld burn_in=0",
       "…rmsprop_sgld makes its preconditioner during burn-in: 'burn_in' must be at least 1", 2},
      {"spectrum r nbeta_low=5 nbeta_high=1", "'nbeta_high' must be larger than 'nbeta_low'", 2},
      {"spectrum r sampler=sgld", "a spectrum needs exact energies: 'sampler' must be mala, not sgld", 2},
  });
}

TEST_F(Failures, PublishedEntries) {
  expect({
      {"reproduce nothing.yaml", "nothing.yaml:1:1: the entry needs a 'title'", 2},
      {"reproduce nothing.yaml", "nothing.yaml:1:1: the entry needs a 'source', where it is published", 2},
      {"reproduce nothing.yaml",
       "nothing.yaml:1:1: 'settings' must be a map of names, each with a configuration or {config: NAME, KEY: VALUE, "
       "…}",
       2},
      {"reproduce nothing.yaml", "nothing.yaml:1:1: 'figures' must be a list of figures", 2},
      {"reproduce wrong.yaml", "wrong.yaml:3:15: 'settings.a' must be a configuration, a map of keys", 2},
      {"reproduce wrong.yaml", "wrong.yaml:4:11: a figure is a map of keys", 2},
      {"reproduce wrong.yaml",
       "wrong.yaml:…: 'published' must be a number, [from, to], {at_least: number} or {at_most: number}", 2},
      {"reproduce wrong.yaml", "wrong.yaml:…: 'where' must be a map of keys of the sweep, each with one value", 2},
      {"reproduce wrong.yaml", "wrong.yaml:…: the figure needs 'what', what is measured in words", 2},
      {"reproduce many.yaml", "many.yaml:…: there are more than 64 settings", 2},
      {"reproduce many-figures.yaml", "many-figures.yaml:…: there are more than 64 figures", 2},
      {"reproduce elsewhere.yaml",
       "elsewhere.yaml:3:12: the name of a setting, and of its directory, must be letters, digits, '-', '_' and '.', "
       "not '../a'",
       2},
      {"reproduce typo.yaml", "settings.a: typo.yaml:…: unknown key 'typo' in the configuration…", 2},
      {"!reproduce entry.yaml", "entry.yaml:…: seed: 'where' leaves no run of the setting 'a'", 2},
      {"!reproduce entry.yaml", "entry.yaml:…: runs: 'against' needs as many runs in 'b' as in 'a'", 2},
      {"!reproduce entry.yaml", "entry.yaml:…: circuits: the circuits have no figure 'nothing'…", 2},
      {"!reproduce entry.yaml",
       "entry.yaml:…: inside: the network has no figure 'sets.nothing': there is no 'nothing'…", 2},
      {"!reproduce entry.yaml", "entry.yaml:…: column: the metrics have no column 'nothing'…", 2},
      {"!reproduce entry.yaml",
       "entry.yaml:…: step: 'train_loss' was not observed at step 7; it must be a multiple of the interval of that "
       "column, and not beyond the last step",
       2},
  });
}

/// Of reports, where plotly.js is part of the program.
TEST_F(Failures, Reports) {
  int code = 0;
  if (output(words_of("report r -o probe.html"), code).find("without plotly.js") != std::string::npos)
    GTEST_SKIP() << "this build has no plotly.js";
  ::setenv("LOGODDS_BROWSER", "/bin/true", 1);
  expect({
      {"report unbegun", "unbegun: has no evaluation yet", 4},
      {"report r --figures pairs.yaml/x", "pairs.yaml/x: cannot create directory: …", 4},
      {"report r --figures figures",
       "/bin/true ended before it had drawn the report; try: /bin/true --headless --dump-dom about:blank", 4},
  });
  ::unsetenv("LOGODDS_BROWSER");
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  expect({{"report r --figures figures",
           "--figures draws with Chromium or Chrome, and neither is on PATH: install the package chromium, or name the "
           "program in LOGODDS_BROWSER",
           2}});
  ::setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace logodds
