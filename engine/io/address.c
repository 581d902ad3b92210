/* Which hosts may be asked: https anywhere, plain http only to a literal loopback address (promise 8). */
#include "engine/io/configure.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool host_is_loopback(const char *host, size_t len)
{
	char name[64];
	struct in_addr v4;
	struct in6_addr v6;
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof name)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (inet_pton(AF_INET, name, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* Host of "scheme://host[:port]…": where it begins and how long it is, brackets of IPv6 included. */
static size_t url_host(const char *after_scheme)
{
	if (after_scheme[0] == '[') {
		const char *end = strchr(after_scheme, ']');
		return end != NULL ? (size_t)(end - after_scheme) + 1 : 0;
	}
	return strcspn(after_scheme, ":/?#");
}

int url_allowed(const char *url, struct err *e)
{
	char shown[128];
	text_escape(shown, sizeof shown, url, strlen(url));
	bool tls = strncmp(url, "https://", 8) == 0, plain = strncmp(url, "http://", 7) == 0;
	if (!tls && !plain)
		return err_set(e, ERR_INPUT, "%s: a url begins with https:// (or http:// for 127.0.0.1)", shown);
	const char *host = url + (tls ? 8 : 7), *rest;
	size_t n = url_host(host);
	if (n == 0 || strcspn(url, "@") < strlen(url))
		return err_set(e, ERR_INPUT, "%s: no host, or a user name in it; write https://HOST[:PORT][/PATH], secrets are files", shown);
	if (strcspn(url, "?# \t\r\n\"\\") < strlen(url))
		return err_set(e, ERR_INPUT, "%s: a query, a fragment or a space is in it; write https://HOST[:PORT][/PATH]", shown);
	rest = host + n;
	size_t digits = rest[0] == ':' ? strspn(rest + 1, "0123456789") : 0;
	if (rest[0] == ':' && (digits == 0 || digits > 5 || (rest[1 + digits] != '\0' && rest[1 + digits] != '/')))
		return err_set(e, ERR_INPUT, "%s: the port is no number", shown);
	if (rest[0] != '\0' && rest[0] != ':' && rest[0] != '/')
		return err_set(e, ERR_INPUT, "%s: the host is not followed by a port or a path", shown);
	if (plain && !host_is_loopback(host, n))
		return err_set(e, ERR_INPUT, "%s: plain http would show the secrets; use https (http only to 127.0.0.1 or [::1])", shown);
	return 0;
}
