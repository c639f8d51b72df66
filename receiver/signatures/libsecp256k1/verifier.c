// What the receiver asks of libsecp256k1, as one WebAssembly module without imports: recovering a key,
// and verifying with one that is known. No signing, so no secret and no context.
// ./scripts/libsecp256k1 compiles it, and says from which sources and how.

// The crate of the sources prefixes every name of the library's.
#define OF(name) rustsecp256k1_v0_14_##name

#include "src/secp256k1.c"

static unsigned char digest[32];

// r ‖ s
static unsigned char signature[64];

// x ‖ y
static unsigned char key[64];

__attribute__((export_name("digestAt"))) unsigned char *digest_at(void) { return digest; }

__attribute__((export_name("signatureAt"))) unsigned char *signature_at(void) { return signature; }

__attribute__((export_name("keyAt"))) unsigned char *key_at(void) { return key; }

static int load(OF(scalar) * r, OF(scalar) * s, OF(scalar) * message) {
  int overflow;
  OF(scalar_set_b32)(r, signature, &overflow);
  if (overflow || OF(scalar_is_zero)(r)) return 0;
  OF(scalar_set_b32)(s, signature + 32, &overflow);
  if (overflow || OF(scalar_is_zero)(s)) return 0;
  OF(scalar_set_b32)(message, digest, NULL);
  return 1;
}

// Writes the key that made the signature; 0 when there is none. `odd` is whether R's y is odd: v - 27.
__attribute__((export_name("recover"))) int recover(int odd) {
  OF(scalar) r, s, message;
  OF(ge) point;
  if (!load(&r, &s, &message)) return 0;
  if (!OF(ecdsa_sig_recover)(&r, &s, &point, &message, odd & 1)) return 0;
  OF(fe_normalize_var)(&point.x);
  OF(fe_normalize_var)(&point.y);
  OF(fe_get_b32)(key, &point.x);
  OF(fe_get_b32)(key + 32, &point.y);
  return 1;
}

// 1 exactly when `recover(odd)` would write the key that stands there. It differs from the library's
// verification in that: R itself is compared, so that a wrong v is seen, and an x above the group's
// order, for which v has no value, does not pass. s is not bounded, as in recovering.
__attribute__((export_name("verify"))) int verify(int odd) {
  OF(scalar) r, s, message, u1, u2;
  OF(fe) x, y;
  OF(ge) point;
  OF(gej) sum;
  unsigned char r_bytes[32];
  if (!load(&r, &s, &message)) return 0;
  if (!OF(fe_set_b32_limit)(&x, key) || !OF(fe_set_b32_limit)(&y, key + 32)) return 0;
  OF(ge_set_xy)(&point, &x, &y);
  if (!OF(ge_is_valid_var)(&point)) return 0;
  OF(scalar_inverse_var)(&s, &s);
  OF(scalar_mul)(&u1, &s, &message);
  OF(scalar_mul)(&u2, &s, &r);
  OF(gej_set_ge)(&sum, &point);
  OF(ecmult)(&sum, &sum, &u2, &u1);
  if (OF(gej_is_infinity)(&sum)) return 0;
  OF(ge_set_gej_var)(&point, &sum);
  OF(scalar_get_b32)(r_bytes, &r);
  OF(fe_set_b32_limit)(&x, r_bytes);
  OF(fe_normalize_var)(&point.y);
  return OF(fe_equal)(&x, &point.x) && OF(fe_is_odd)(&point.y) == (odd & 1);
}

// A check inside the library has failed, which is a fault of ours.
void OF(default_illegal_callback_fn)(const char *text, void *data) {
  (void)text;
  (void)data;
  __builtin_trap();
}

void OF(default_error_callback_fn)(const char *text, void *data) {
  (void)text;
  (void)data;
  __builtin_trap();
}

// What the compiler itself may call. Each is one instruction of WebAssembly's.
void *memset(void *to, int value, size_t length) { return __builtin_memset(to, value, length); }

void *memcpy(void *to, const void *from, size_t length) {
  return __builtin_memcpy(to, from, length);
}
