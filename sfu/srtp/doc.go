// Package srtp opens and seals media (RFC 3711) under the keys of a DTLS
// handshake (RFC 5764), in the buffers that it is given. AEAD_AES_128_GCM (RFC
// 7714) is written here, on the standard library's cipher, so that a forwarded
// packet costs one Open, then one Seal each straight into the buffer that
// leaves, and no allocation. AES_CM_128_HMAC_SHA1_80, for a peer that knows
// nothing better, is pion's.
//
// With GCM a nonce that is used twice gives the key away. A nonce here is SSRC
// and packet index; Seal refuses an index that was sealed before (Sent), and
// Open refuses one that was opened before (Received).
package srtp
