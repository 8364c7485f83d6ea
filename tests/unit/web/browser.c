#include "browser.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

static socklen_t loopback(int family, int port, struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	if (family == AF_INET) {
		((struct sockaddr_in *)ret)->sin_port = htons((in_port_t)port);
		((struct sockaddr_in *)ret)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(struct sockaddr_in);
	}
	((struct sockaddr_in6 *)ret)->sin6_port = htons((in_port_t)port);
	((struct sockaddr_in6 *)ret)->sin6_addr = in6addr_loopback;
	return sizeof(struct sockaddr_in6);
}

int browser_squat(int family, int port)
{
	struct sockaddr_storage where;
	socklen_t size = loopback(family, port, &where);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), why;
	const int on = 1;

	/* All that another user could set. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&where, size) == 0 && listen(fd, 1) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static bool is_free(int port)
{
	int v4 = browser_squat(AF_INET, port), v6 = browser_squat(AF_INET6, port);

	if (v4 >= 0)
		close(v4);
	if (v6 >= 0)
		close(v6);
	return v4 >= 0 && v6 >= 0;
}

int browser_free_port(void)
{
	static int last;
	/* Tests that run beside each other start apart. */
	int port = last ? last + 1 : 20000 + getpid() * 41 % 10000;

	while (!is_free(port))
		port++;
	last = port;
	return port;
}

static void mark(void *arg)
{
	*(bool *)arg = true;
}

void browser_settle(struct loop *loop)
{
	/* Sockets of this machine are ready at once, but one thing may lead to the next. */
	for (int i = 0; i < 16; i++) {
		bool came = false;

		loop_soon(loop, mark, &came);
		while (!came)
			loop_once(loop);
	}
}

int browser_dial(struct loop *loop, int family, int port)
{
	struct sockaddr_storage where;
	socklen_t size = loopback(family, port, &where);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&where, size) < 0) {
		close(fd);
		return -1;
	}
	browser_settle(loop);
	return fd;
}

bool browser_say(struct loop *loop, int fd, const char *bytes, size_t len)
{
	ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

	browser_settle(loop);
	return sent == (ssize_t)len;
}

const char *browser_hear(struct loop *loop, int fd)
{
	static char text[4096];
	size_t len = 0;
	ssize_t got;

	browser_settle(loop);
	while ((got = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	return got == 0 || errno != EAGAIN ? text : NULL;
}
