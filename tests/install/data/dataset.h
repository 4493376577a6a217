// A header of the user's own, under a name that vaekit has, too.
namespace user {
struct Dataset {};
}  // namespace user
