#include "onward/estimators/without_answer.h"

#include <utility>

namespace onward {

std::string_view without_answer(std::string_view class_name) {
  constexpr std::string_view labels =
      "labels only the rows that it is fitted on, it has no predict; fit a classifier such as KNeighborsClassifier on its labels_ and convert that";
  constexpr std::string_view places =
      "places only the rows that it is fitted on, it has no transform; fit a regressor on its embedding_ and convert that, or use PCA, Isomap or another that transforms";
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"AgglomerativeClustering", labels}, {"DBSCAN", labels},             {"HDBSCAN", labels},
      {"OPTICS", labels},                  {"SpectralClustering", labels}, {"SpectralBiclustering", labels},
      {"SpectralCoclustering", labels},    {"SpectralEmbedding", places},  {"TSNE", places},
      {"MDS", places},                     {"ClassicalMDS", places},
      {"PatchExtractor", "cuts images into patches, and a model's input is a table; cut them before the model"},
  };
  for (const auto& [name, why] : known)
    if (name == class_name) return why;
  return {};
}

}  // namespace onward
