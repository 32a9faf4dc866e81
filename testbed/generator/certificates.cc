#include "certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "random.h"

namespace sitegen {
namespace {

template <typename T, void (*kFree)(T*)>
struct Deleter {
  void operator()(T* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY, EVP_PKEY_free>>;
using X509Pointer = std::unique_ptr<X509, Deleter<X509, X509_free>>;
using Output = std::unique_ptr<BIO, Deleter<BIO, BIO_free_all>>;

void Check(bool done) {
  if (!done) throw std::runtime_error("OpenSSL could not make a certificate");
}

std::string Contents(BIO* output) {
  char* data = nullptr;
  long size = BIO_get_mem_data(output, &data);
  return {data, static_cast<size_t>(size)};
}

}  // namespace

Certificate MakeCertificate(uint64_t seed, const std::string& host) {
  Random random(seed, host, 0);
  std::string secret = random.Bytes(32);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                       reinterpret_cast<const unsigned char*>(secret.data()),
                                       secret.size()));
  X509Pointer certificate(X509_new());
  Check(key != nullptr && certificate != nullptr);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), random.Next() >> 2);
  Check(ASN1_TIME_set_string(X509_getm_notBefore(certificate.get()), "20240101000000Z") == 1);
  Check(ASN1_TIME_set_string(X509_getm_notAfter(certificate.get()), "20440101000000Z") == 1);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  Check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(host.data()),
                                   static_cast<int>(host.size()), -1, 0) == 1);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  std::string names = "DNS:" + host;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  Check(extension != nullptr && X509_add_ext(certificate.get(), extension, -1) == 1);
  X509_EXTENSION_free(extension);
  Check(X509_sign(certificate.get(), key.get(), nullptr) > 0);

  Output certificate_pem(BIO_new(BIO_s_mem())), key_pem(BIO_new(BIO_s_mem()));
  Check(PEM_write_bio_X509(certificate_pem.get(), certificate.get()) == 1);
  Check(PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
        1);
  return {Contents(certificate_pem.get()), Contents(key_pem.get())};
}

}  // namespace sitegen
