#include "training/claim.h"
#include "training/claims/capacity.h"
#include "training/claims/losses.h"
#include "training/claims/parts.h"
#include "training/claims/unanimous.h"
#include "training/hook.h"
#include "training/hooks/effective_rates.h"
#include "training/hooks/gradient_alignment.h"
#include "training/hooks/learning_coefficient.h"
#include "training/hooks/logit_bloat.h"
#include "training/hooks/logit_decomposition.h"
#include "training/hooks/margins.h"
#include "training/hooks/memorisation.h"
#include "training/hooks/slingshot.h"
#include "training/hooks/softmax_collapse.h"
#include "training/hooks/weight_norms.h"
#include "training/loss.h"
#include "training/losses/binary_logistic.h"
#include "training/losses/cross_entropy.h"
#include "training/losses/mse.h"
#include "training/losses/stablemax.h"
#include "training/optimizer.h"
#include "training/optimizers/adam.h"
#include "training/optimizers/adamw.h"
#include "training/optimizers/muon.h"
#include "training/optimizers/sgd.h"
#include "training/samplers/mala.h"
#include "training/samplers/rmsprop_sgld.h"
#include "training/samplers/sampler.h"
#include "training/samplers/sgld.h"
#include "training/schedule.h"
#include "training/schedules/constant.h"
#include "training/schedules/cosine.h"
#include "training/schedules/multi_step.h"
#include "training/schedules/warmup.h"
#include "training/task.h"
#include "training/tasks/forecasters.h"
#include "training/tasks/group.h"
#include "training/tasks/halfspace.h"
#include "training/tasks/majority.h"
#include "training/tasks/mnist.h"
#include "training/tasks/modular_addition.h"
#include "training/tasks/router.h"
#include "training/transform.h"
#include "training/transforms/constrained_norm.h"
#include "training/transforms/grokfast.h"
#include "training/transforms/l23_penalty.h"
#include "training/transforms/l2_penalty.h"
#include "training/transforms/orthogonal_gradient.h"

namespace logodds {

const Catalogue& tasks() {
  static const Catalogue catalogue(
      "tasks", {entry<ModularAddition, Task>("modular_addition", "pairs (a, b) of Z_p, class (a ∘ b) mod p"),
                entry<GroupTask, Task>("group", "pairs (a, b) of a finite group, class a ∘ b"),
                entry<Mnist, Task>("mnist", "images of digits, 10 000 of them built in, or any files of that format"),
                entry<Forecasters, Task>("forecasters", "features that are independent given the class: log-odds add"),
                entry<Router, Task>("router", "each example is told by one feature alone"),
                entry<Majority, Task>("majority", "whether most of n bits are +1, some of them unseen"),
                entry<Halfspace, Task>("halfspace", "the side of a random plane, some coordinates unseen")});
  return catalogue;
}

const Catalogue& losses() {
  static const Catalogue catalogue(
      "losses",
      {entry<CrossEntropyLoss, Loss>(
           "cross_entropy", "multi-class logistic loss, exact to float64, or as float32 or float16 computes it"),
       entry<BinaryLogisticLoss, Loss>("binary_logistic", "the same for two classes and one log-odds"),
       entry<MseLoss, Loss>("mse", "squared error against the classes' indicators"),
       entry<StableMaxLoss, Loss>("stablemax", "-ln(s_y / Σ s), s linear above 0 and 1/(1-x) below")});
  return catalogue;
}

const Catalogue& optimizers() {
  static const Catalogue catalogue(
      "optimizers",
      {entry<AdamW, Optimizer, const Parameters&>("adamw", "Adam with decoupled weight decay"),
       entry<Adam, Optimizer, const Parameters&>("adam", "Adam with L2 decay in the gradient"),
       entry<Sgd, Optimizer, const Parameters&>("sgd", "gradient descent with momentum and L2 decay"),
       entry<Muon, Optimizer, const Parameters&>("muon", "orthogonalised momentum for matrices, AdamW else")});
  return catalogue;
}

const Catalogue& transforms() {
  static const Catalogue catalogue(
      "transforms",
      {entry<OrthogonalGradient, Transform, const Parameters&>(
           "orthogonal_gradient", "⊥Grad: the gradient without its part along the weights"),
       entry<Grokfast, Transform, const Parameters&>("grokfast", "the gradient's slow part amplified"),
       entry<ConstrainedNorm, Transform, const Parameters&>("constrained_norm", "weights kept at their initial norm"),
       entry<L2Penalty, Transform, const Parameters&>("l2_penalty", "(λ/2) ‖w‖² in the loss"),
       entry<L23Penalty, Transform, const Parameters&>("l23_penalty",
                                                       "λ Σ_neurons (norm of its weights)³ in the loss")});
  return catalogue;
}

const Catalogue& schedules() {
  static const Catalogue catalogue(
      "schedules", {entry<ConstantSchedule, Schedule>("constant", "the full learning rate throughout"),
                    entry<WarmupSchedule, Schedule>("warmup", "linear from 0, then constant"),
                    entry<CosineSchedule, Schedule>("cosine", "warm-up, then half a cosine to a floor"),
                    entry<MultiStepSchedule, Schedule>("multi_step", "a factor at each of some steps")});
  return catalogue;
}

const Catalogue& hooks() {
  static const Catalogue catalogue(
      "hooks",
      {entry<LogitDecomposition, Hook>("logit_decomposition", "circuits of the logits, their energy and margin"),
       entry<LogitBloat, Hook>("logit_bloat", "scale of the logits, optimal scale, radial and shape loss change"),
       entry<WeightNorms, Hook>("weight_norms", "Euclidean norm of each weight tensor"),
       entry<GradientAlignment, Hook>("gradient_alignment", "whether the gradient scales the weights or turns them"),
       entry<SoftmaxCollapse, Hook>("softmax_collapse", "share of examples that a plain softmax no longer learns from"),
       entry<EffectiveRates, Hook>("effective_rates",
                                   "how fast the weights turn, how much there is left to learn from"),
       entry<Margins, Hook>("margins", "quantiles of the margin, logit per parameter norm"),
       entry<Memorisation, Hook>("memorisation", "how many changed labels are stored, and what each costs"),
       entry<LearningCoefficientHook, Hook>("learning_coefficient", "λ̂ by chains around the weights of the moment"),
       entry<Slingshot, Hook>("slingshot", "relative change of the last hidden layer's activations")});
  return catalogue;
}

const Catalogue& samplers() {
  static const Catalogue catalogue(
      "samplers", {entry<Sgld, Sampler>("sgld", "Langevin steps, localised, on all examples or mini-batches"),
                   entry<RmspropSgld, Sampler>("rmsprop_sgld", "the same with a diagonal preconditioner"),
                   entry<Mala, Sampler>("mala", "Langevin steps accepted or rejected on all examples: exact")});
  return catalogue;
}

const Catalogue& claims() {
  static const Catalogue catalogue(
      "claims", {entry<LossClaim, Claim>("loss", "test loss against what theory expects"),
                 entry<ExcessClaim, Claim>("excess", "risk in excess of the Bayes loss"),
                 entry<GainClaim, Claim>("gain", "by how much the loss falls from one run to the next"),
                 entry<LossSlopeClaim, Claim>("loss_slope", "slope of ln L per feature shown"),
                 entry<TemperatureClaim, Claim>("temperature", "optimal temperature of the logits"),
                 entry<UnanimousOddsClaim, Claim>("unanimous_odds", "odds where every feature says class 1"),
                 entry<UnanimousLossClaim, Claim>("unanimous_loss", "loss where every feature is right, and its slope"),
                 entry<PartsClaim, Claim>("parts", "each feature's part against its exact log-odds"),
                 entry<AblationClaim, Claim>("ablation", "whether accuracies add, or logarithms of the loss"),
                 entry<CapacityClaim, Claim>("capacity", "how many random labels are memorised per weight")});
  return catalogue;
}

}  // namespace logodds
