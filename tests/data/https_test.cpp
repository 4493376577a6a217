// What a secured connection promises: certificates are checked, and no redirect leads out of it.
#include <curl/curl.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "data/digest.h"
#include "data/download.h"
#include "data/gzip.h"
#include "tensor/file.h"
#include "tests/data/http_server.h"
#include "tests/data/https_server.h"
#include "tests/expect_error.h"
#include "tests/temporary_directory.h"

namespace {
std::string g_trusted;  // a certificate, as PEM
}

/// Every transfer of this program goes through here and trusts one certificate more.
extern "C" CURLcode curl_easy_perform(CURL* curl) {
  curl_blob trusted{g_trusted.data(), g_trusted.size(), CURL_BLOB_COPY};
  if (!g_trusted.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &trusted);
  return reinterpret_cast<CURLcode (*)(CURL*)>(::dlsym(RTLD_NEXT, "curl_easy_perform"))(curl);
}

namespace vae::data {
namespace {

class Https : public ::testing::Test {
 protected:
  ~Https() override { g_trusted.clear(); }
  void fetch(const std::string& url) { fetch_published(url, directory_ / "file.gz", file_); }
  void expect_refused(const std::string& words, const std::string& url) {
    test::expect_error(ErrorKind::io, words, [&] { fetch(url); });
    EXPECT_EQ(directory_.entries(), 0u);
  }

  test::TemporaryDirectory directory_;
  const std::vector<std::byte> content_ = std::vector<std::byte>(1000, std::byte{1}),
                               packed_ = gzip(content_);
  const std::string sha256_ = sha256_hex(content_);
  const PublishedFile file_{"file", content_.size(), sha256_.c_str()};
  const test::HttpServer open_{{reinterpret_cast<const char*>(packed_.data()), packed_.size()}, {}};
};

TEST_F(Https, NoRedirectToAnOpenConnection) {
  const test::HttpsRedirect secured(open_.url());
  g_trusted = secured.certificate();
  expect_refused("http", secured.url());
  EXPECT_EQ(open_.path(), "");
}

TEST_F(Https, RedirectsToSecuredConnectionsAreFollowed) {
  const test::HttpsRedirect last(open_.url());
  const test::HttpsRedirect first(last.url());
  g_trusted = first.certificate();
  expect_refused("certificate", first.url());  // the second server's, which is another
  g_trusted += last.certificate();
  expect_refused("http", first.url());
  EXPECT_EQ(open_.path(), "");
}

TEST_F(Https, CertificatesAreChecked) {
  const test::HttpsRedirect secured(open_.url());
  expect_refused("certificate", secured.url());
}

TEST_F(Https, AnOpenConnectionThatIsAskedForServes) {
  fetch(open_.url());
  EXPECT_EQ(read_file(directory_ / "file.gz"), packed_);
}

}  // namespace
}  // namespace vae::data
