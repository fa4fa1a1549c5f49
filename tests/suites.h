/* The check suites. ONCE: what they run is made by lathe's C compiler or is installed, and has
 * no sanitizers, so that the sanitized test program leaves them out unless they are named.
 * The ten that take longest come first: they are run in this order, one on each core. */
#ifndef LATHE_SUITES_H
#define LATHE_SUITES_H

#include <check.h>

#define SUITES(BOTH, ONCE)                                                               \
    ONCE(quant_integer)                                                                  \
    ONCE(kernels)                                                                        \
    ONCE(stack)                                                                          \
    BOTH(ptq)                                                                            \
    ONCE(network)                                                                        \
    BOTH(hostile)                                                                        \
    BOTH(plan)                                                                           \
    ONCE(quant_train)                                                                    \
    ONCE(published)                                                                      \
    ONCE(winograd_codes)                                                                 \
    BOTH(augment)                                                                        \
    ONCE(boards)                                                                         \
    BOTH(cache)                                                                          \
    BOTH(checkpoint)                                                                     \
    BOTH(class_names)                                                                    \
    BOTH(cmd_data)                                                                       \
    BOTH(colour)                                                                         \
    BOTH(command)                                                                        \
    BOTH(compare)                                                                        \
    BOTH(config)                                                                         \
    BOTH(data)                                                                           \
    BOTH(emit_options)                                                                   \
    BOTH(equalise)                                                                       \
    BOTH(events)                                                                         \
    BOTH(groups)                                                                         \
    BOTH(image_files)                                                                    \
    BOTH(images)                                                                         \
    BOTH(import)                                                                         \
    BOTH(import_keras)                                                                   \
    BOTH(import_names)                                                                   \
    BOTH(inspect)                                                                        \
    BOTH(interrupt)                                                                      \
    BOTH(jit)                                                                            \
    BOTH(jpeg)                                                                           \
    ONCE(kill)                                                                           \
    BOTH(library)                                                                        \
    BOTH(loader)                                                                         \
    BOTH(loss)                                                                           \
    ONCE(machine)                                                                        \
    BOTH(matmul)                                                                         \
    BOTH(mix)                                                                            \
    ONCE(mpi)                                                                            \
    BOTH(optim)                                                                          \
    BOTH(outside)                                                                        \
    BOTH(pack)                                                                           \
    BOTH(page)                                                                           \
    BOTH(passes)                                                                         \
    BOTH(pickle)                                                                         \
    BOTH(picture)                                                                        \
    ONCE(places)                                                                         \
    BOTH(predict)                                                                        \
    BOTH(profile)                                                                        \
    ONCE(projects)                                                                       \
    BOTH(prompt)                                                                         \
    BOTH(quant_budget)                                                                   \
    BOTH(quant_numbers)                                                                  \
    BOTH(quant_ranges)                                                                   \
    BOTH(quant_requant)                                                                  \
    BOTH(quant_ship)                                                                     \
    BOTH(records)                                                                        \
    BOTH(repl)                                                                           \
    ONCE(resume)                                                                         \
    ONCE(runs)                                                                           \
    ONCE(seeds)                                                                          \
    ONCE(shipped)                                                                        \
    ONCE(statistics)                                                                     \
    ONCE(streams)                                                                        \
    BOTH(sweep)                                                                          \
    ONCE(teach)                                                                          \
    ONCE(trainer)                                                                        \
    BOTH(trivial)                                                                        \
    ONCE(verify)                                                                         \
    BOTH(weights)                                                                        \
    ONCE(winograd)

#define SUITE(name) Suite *name##_suite(void);
SUITES(SUITE, SUITE)
#undef SUITE

#endif
