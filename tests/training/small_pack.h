#pragma once

#include <ATen/ATen.h>

#include "models/mlp.h"
#include "models/transformer.h"
#include "training/hooks/effective_rates.h"
#include "training/hooks/gradient_alignment.h"
#include "training/hooks/logit_bloat.h"
#include "training/hooks/logit_decomposition.h"
#include "training/hooks/slingshot.h"
#include "training/hooks/weight_norms.h"
#include "training/losses/cross_entropy.h"
#include "training/optimizers/adamw.h"
#include "training/optimizers/sgd.h"
#include "training/schedules/warmup.h"
#include "training/tasks/modular_addition.h"
#include "training/trainer.h"

namespace logodds {

/// What a small pack for tests is made of.
struct SmallPack {
  std::vector<int64_t> seeds{0};
  std::vector<double> weight_decays{1};
  std::vector<double> learning_rates{0.01};
  int64_t p = 11;
  bool transformer = true;
  bool momentum = false;  ///< SGD with momentum instead of AdamW
  bool hooks = false;
  at::ScalarType dtype = at::kFloat;
  at::Device device = at::kCPU;

  Pack make() const {
    const ModularAddition task({.p = p, .operation = "add", .train_fraction = 0.5});
    std::unique_ptr<Model> model;
    if (transformer) {
      Transformer::Options options;
      options.d_model = 16;
      options.heads = 2;
      options.d_mlp = 32;
      model = std::make_unique<Transformer>(options, task.shape());
    } else {
      Mlp::Options options;
      options.d_embed = 16;
      options.hidden = {32};
      model = std::make_unique<Mlp>(options, task.shape());
    }
    Parameters parameters(model->specs(), static_cast<int64_t>(seeds.size()),
                          at::TensorOptions().dtype(dtype).device(device));
    parameters.initialise(seeds, std::vector<double>(seeds.size(), 1.0));
    std::unique_ptr<Optimizer> optimizer;
    const auto with_values = [&](auto options) {
      options.learning_rate.runs = learning_rates;
      options.weight_decay.runs = weight_decays;
      return options;
    };
    if (momentum) {
      auto options = with_values(Sgd::Options());
      options.momentum = 0.9;
      optimizer = std::make_unique<Sgd>(options, parameters);
    } else {
      optimizer = std::make_unique<AdamW>(with_values(AdamW::Options()), parameters);
    }
    std::vector<std::pair<std::string, std::unique_ptr<Hook>>> observers;
    if (hooks) {
      LogitDecomposition::Options decomposition;
      decomposition.every_steps = 5;
      LogitBloat::Options bloat;
      bloat.every_steps = 5;
      WeightNorms::Options norms;
      norms.every_steps = 10;
      observers.emplace_back("logit_decomposition", std::make_unique<LogitDecomposition>(decomposition));
      observers.emplace_back("logit_bloat", std::make_unique<LogitBloat>(bloat));
      observers.emplace_back("weight_norms", std::make_unique<WeightNorms>(norms));
      const auto every_ten = [](auto options) {
        options.every_steps = 10;
        return options;
      };
      observers.emplace_back("effective_rates", std::make_unique<EffectiveRates>(every_ten(EffectiveRates::Options())));
      observers.emplace_back("slingshot", std::make_unique<Slingshot>(every_ten(Slingshot::Options())));
      observers.emplace_back("gradient_alignment",
                             std::make_unique<GradientAlignment>(every_ten(GradientAlignment::Options())));
    }
    return {.seeds = seeds,
            .data = task.make(seeds).to(device, dtype),
            .model = std::move(model),
            .parameters = std::move(parameters),
            .loss = std::make_unique<CrossEntropyLoss>(CrossEntropyLoss::Options()),
            .optimizer = std::move(optimizer),
            .schedule = std::make_unique<WarmupSchedule>(WarmupSchedule::Options()),
            .hooks = std::move(observers)};
  }
};

}  // namespace logodds
