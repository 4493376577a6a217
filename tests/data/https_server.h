#pragma once
// A secured web server on 127.0.0.1 that redirects whoever asks, with a certificate signed by itself.
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "tests/data/local_server.h"

namespace vae::test {

class HttpsRedirect {
 public:
  explicit HttpsRedirect(const std::string& location)
      : answer_("HTTP/1.1 302 x\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + location +
                "\r\n\r\n") {
    make_certificate();
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
  }

  std::string url() const { return "https://127.0.0.1:" + std::to_string(server_.port()) + "/file.gz"; }
  /// What a client must trust, as PEM.
  std::string certificate() const {
    const std::unique_ptr<BIO, int (*)(BIO*)> memory(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_X509(memory.get(), certificate_.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<size_t>(size)};
  }

 private:
  void make_certificate() {
    X509* x = certificate_.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> address(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1"), X509_EXTENSION_free);
    X509_add_ext(x, address.get(), -1);
    X509_set_pubkey(x, key_.get());
    if (X509_sign(x, key_.get(), EVP_sha256()) == 0) throw std::runtime_error("no certificate");
  }

  void answer(int client) {
    const std::unique_ptr<SSL, void (*)(SSL*)> session(SSL_new(context_.get()), SSL_free);
    SSL_set_fd(session.get(), client);
    if (SSL_accept(session.get()) != 1) return;
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const int got = SSL_read(session.get(), buffer, sizeof buffer);
      if (got <= 0) return;
      request.append(buffer, static_cast<size_t>(got));
    }
    SSL_write(session.get(), answer_.data(), static_cast<int>(answer_.size()));
    SSL_shutdown(session.get());
  }

  std::string answer_;
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, void (*)(X509*)> certificate_{X509_new(), X509_free};
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  LocalServer server_{[this](int client) { answer(client); }};  // last: it asks for what stands above
};

}  // namespace vae::test
