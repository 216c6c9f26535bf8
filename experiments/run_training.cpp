#include "experiments/run_training.h"

#include "core/log.h"

namespace logodds {

RunTraining::RunTraining(const TrainerOptions& options, Pack pack, TrainerEvents events) : options_(options) {
  events.evaluated = [this, told = std::move(events.evaluated)](const std::vector<Row>& rows) {
    metrics_->append(rows);
    if (told) told(rows);
  };
  events.checkpoint = [this](Checkpoint checkpoint) { save(std::move(checkpoint)); };
  events.diverged = [this](const Divergence& divergence) {
    const bool last = std::ssize(trainer_->pack().seeds) == static_cast<int64_t>(trainer_->diverged());
    if (!last) spdlog::error("{}; the other runs go on", divergence.message);  // the last one's ends the program
    directory_->save_divergence(divergence, label_(static_cast<size_t>(divergence.run)));
  };
  trainer_ = std::make_unique<Trainer>(options, std::move(pack), std::move(events));
}

void RunTraining::write_to(const RunDirectory& directory, const std::optional<Checkpoint>& start,
                           std::function<std::string(size_t run)> label) {
  directory_ = directory;
  label_ = std::move(label);
  metrics_.emplace(directory.metrics_path(), start ? start->numbers.value("metrics_bytes", uint64_t{0}) : 0);
  if (start) {
    trainer_->restore(*start);
    directory.checkpoints().set_aside_after(start->step);
  }
  directory.checkpoints().tidy(options_.keep());
}

void RunTraining::save(Checkpoint checkpoint) {
  metrics_->sync();
  checkpoint.numbers["metrics_bytes"] = metrics_->offset();
  checkpoint.numbers["metrics_sha256"] = metrics_->sha256();
  directory_->checkpoints().save(checkpoint, options_.keep());
}

}  // namespace logodds
