#include "experiments/sampling.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/read_fields.h"
#include "core/text.h"
#include "core/write_fields.h"
#include "training/samplers/blocks.h"

namespace logodds {

void read_settings(const std::string& path, const std::vector<std::string>& overrides,
                   const std::function<void(Fields&)>& fields) {
  Node root = path.empty() ? parse_yaml("", "") : read_yaml_file(path);
  for (const auto& assignment : overrides) apply_override(root, assignment);
  Problems problems;
  ReadFields reader(root, problems);
  fields(reader);
  reader.finish();
  problems.throw_if_any();
}

SamplingOptions read_sampling(const std::string& path, const std::vector<std::string>& overrides) {
  SamplingOptions options;
  read_settings(path, overrides, [&](Fields& fields) { options.fields(fields); });
  return options;
}

std::string settings_of(const std::function<void(Fields&)>& fields) {
  WriteFields writer;
  fields(writer);
  return to_yaml(writer.take());
}

namespace {

Row rows_of(const Tensor& x_RD) {
  Row rows = Row::array();
  for (int64_t r = 0; r < x_RD.size(0); ++r) {
    const Tensor row = x_RD[r].contiguous();
    rows.push_back(std::vector<double>(row.const_data_ptr<double>(), row.const_data_ptr<double>() + row.numel()));
  }
  return rows;
}

}  // namespace

ChainsFile::ChainsFile(std::filesystem::path path, std::string settings)
    : path_(std::move(path)), fingerprint_(std::stoll(sha256(settings).substr(0, 15), nullptr, 16)) {}

void ChainsFile::load_into(Chains& chains) const {
  if (path_.empty() || !std::filesystem::exists(path_)) return;
  const NamedTensors state = read_safetensors(path_);
  const auto found = state.find("settings");
  if (found == state.end()) throw io_error(path_.string() + ": holds no chains");
  if (found->second[0].item<int64_t>() != fingerprint_) {
    throw Error(path_.string() +
                ": these chains were begun on another run, step, or with other settings; only 'draws' may change");
  }
  chains.restore(state);
}

void ChainsFile::save(const Chains& chains) const {
  if (path_.empty()) return;
  NamedTensors state = chains.state();
  state["settings"] = at::tensor(std::vector<int64_t>{fingerprint_}, at::kLong);
  write_file_atomically(path_, to_safetensors(state));
}

Sampling::Sampling(const Inspection& inspection, size_t run, const SamplingOptions& options)
    : inspection_(inspection), run_(run), options_(options), sampled_(inspection.sampled(run, options)) {}

Row Sampling::heading() const {
  return {{"run", run_},
          {"label", inspection_.label(run_)},
          {"step", inspection_.step() ? Row(*inspection_.step()) : Row(nullptr)},
          {"examples", sampled_.network.targets_N.size(0)},
          {"parameters", size_of(pieces_of(sampled_.centre, options_.parameters))},
          {"sampler", options_.sampler.name()},
          {"nbeta", sampled_.nbeta},
          {"localisation", options_.localisation},
          {"init_loss", sampled_.centre_loss}};
}

std::string Sampling::identity() const {
  return heading().dump() + shortest(sampled_.centre.flat().to(at::kDouble).abs().sum().item<double>());
}

Row Sampling::coefficient(const std::filesystem::path& state, const std::function<bool()>& interrupted) const {
  Chains chains = coefficient_chains(options_, sampled_);
  SamplingOptions fixed = options_;
  fixed.draws = 4;
  const ChainsFile file(state, settings_of([&](Fields& fields) { fixed.fields(fields); }) + identity());
  file.load_into(chains);
  const bool finished = chains.run_to(options_.steps(), interrupted);
  file.save(chains);
  if (!finished) return nullptr;

  const Trace trace = chains.trace();
  const LearningCoefficient found = learning_coefficient(options_, sampled_, trace);
  const bool stands = found.refusals.empty();
  const auto if_it_stands = [&](double value) { return stands ? Row(value) : Row(nullptr); };
  Row row = heading();
  row["llc/mean"] = if_it_stands(found.mean);
  row["llc/std"] = if_it_stands(found.deviation);
  row["llc/standard_error"] = if_it_stands(found.error);
  row["llc/interval"] = stands ? Row{found.low, found.high} : Row(nullptr);
  for (size_t r = 0; r < found.of_chain.size(); ++r) row["llc-chain/" + std::to_string(r)] = found.of_chain[r];
  row["refused"] = found.refusals;
  row["r_hat"] = found.convergence.r_hat;
  row["ess_bulk"] = found.convergence.bulk_size;
  row["ess_tail"] = found.convergence.tail_size;
  row["acceptance"] = options_.sampler.name() == "mala" ? Row(found.acceptance) : Row(nullptr);
  row["step_size"] = chains.step_sizes();
  row["distance/first"] = found.distance_first;
  row["distance/last"] = found.distance_last;
  row["trend"] = found.trend;
  row["trend_error"] = found.trend_error;
  row["chains_not_finite"] = found.not_finite;
  row["loss/trace"] = rows_of(draws_of(trace.energy_RS, options_.burn_in, options_.steps_between_draws));
  row["loss/burn_in"] = rows_of(trace.energy_RS.narrow(1, 0, options_.burn_in));
  return row;
}

namespace {

/// A point of the grid: factors on ε, γ and nβ.
struct Point {
  double step_size, localisation, nbeta;
};

std::vector<Point> grid(bool step_size_adapts) {
  std::vector<Point> points;
  for (const auto& [localisation, nbeta] : {std::pair(1.0, 1.0), {0.1, 1.0}, {10.0, 1.0}, {1.0, 1 / 3.0}, {1.0, 3.0}}) {
    for (const double step_size : {1 / 16.0, 1 / 4.0, 1.0, 4.0, 16.0}) {
      if (!step_size_adapts || step_size == 1) points.push_back({step_size, localisation, nbeta});
    }
  }
  return points;
}

constexpr int64_t kChainsPerPoint = 4;

Trace of_chains(const Trace& trace, int64_t first, int64_t count) {
  const auto part = [&](const Tensor& x_RS) { return x_RS.narrow(0, first, count); };
  return {part(trace.energy_RS), part(trace.distance_RS), part(trace.accepted_RS), part(trace.place_RS)};
}

/// Of points in the order of their step sizes, all else being equal.
Row plateau(const std::vector<Row>& points) {
  Row found = nullptr;
  for (size_t i = 1; i < points.size(); ++i) {
    if (!points[i - 1].at("refused").empty() || !points[i].at("refused").empty()) continue;
    const double a = points[i - 1].at("llc/mean"), b = points[i].at("llc/mean");
    const double error = std::hypot(points[i - 1].at("llc/standard_error").get<double>(),
                                    points[i].at("llc/standard_error").get<double>());
    if (std::abs(a - b) <= std::max(2 * error, 0.05 * std::abs(a))) found = points[i].at("step_size");
  }
  return found;
}

}  // namespace

Row Sampling::calibration(const std::function<bool()>& interrupted) const {
  const auto points = grid(/*step_size_adapts=*/options_.sampler.name() == "mala");
  const double step_size = options_.sampler.make<Sampler>()->step_size();
  std::vector<double> step_sizes, localisations, nbetas;
  for (const auto& point : points) {
    step_sizes.insert(step_sizes.end(), kChainsPerPoint, step_size * point.step_size);
    localisations.insert(localisations.end(), kChainsPerPoint, options_.localisation * point.localisation);
    nbetas.insert(nbetas.end(), kChainsPerPoint, sampled_.nbeta * point.nbeta);
  }
  Chains chains = make_chains(options_, sampled_.network, sampled_.centre, nbetas, localisations, step_sizes);
  if (!chains.run_to(options_.steps(), interrupted)) return nullptr;
  const Trace trace = chains.trace();
  Row rows = Row::array();
  std::vector<Row> own;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto first = static_cast<int64_t>(i) * kChainsPerPoint;
    const LearningCoefficient found =
        learning_coefficient(of_chains(trace, first, kChainsPerPoint), options_.burn_in, options_.steps_between_draws,
                             nbetas[static_cast<size_t>(first)], sampled_.centre_loss);
    rows.push_back({{"step_size", step_sizes[static_cast<size_t>(first)]},
                    {"localisation", localisations[static_cast<size_t>(first)]},
                    {"nbeta", found.nbeta},
                    {"llc/mean", found.mean},
                    {"llc/standard_error", found.error},
                    {"r_hat", found.convergence.r_hat},
                    {"refused", found.refusals}});
    if (points[i].localisation == 1 && points[i].nbeta == 1) own.push_back(rows.back());
  }
  Row row = heading();
  row["points"] = rows;
  row["suggestion"] = plateau(own);
  return row;
}

}  // namespace logodds
