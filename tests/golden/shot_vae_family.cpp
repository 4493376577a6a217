#include "shot_vae_run.h"

namespace vae::golden {

Family shot_vae_family() {
  return family_of("shot-vae", {shot_vae_smooth(), shot_vae_training(), shot_vae_classifier(),
                                shot_vae_schedules(), shot_vae_splits(), shot_vae_pictures()});
}

}  // namespace vae::golden
