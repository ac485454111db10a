/* signature.c -- the time is signed with the body, so that a request that was listened to cannot be sent again later. */
#include "workers/alert-notifier/signature.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/cleanup.h"

int
signature_make(const char *secret, const char *timestamp, struct span body, char text[SIGNATURE_BYTES], struct err *err)
{
	CLEANUP(buffer_clear)
	struct buffer signed_text = { 0 };
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (buffer_text(&signed_text, timestamp) < 0 || buffer_text(&signed_text, ".") < 0 ||
	    buffer_append(&signed_text, body.ptr, body.len) < 0 ||
	    !HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)signed_text.ptr, signed_text.len,
		  mac, &len))
		return err_set(err, REASON_NO_MEMORY, "a signature");
	strcpy(text, "sha256=");
	for (unsigned i = 0; i < len && 7 + 2 * i + 2 < SIGNATURE_BYTES; i++)
		snprintf(text + 7 + 2 * i, 3, "%02x", mac[i]);
	return 0;
}
