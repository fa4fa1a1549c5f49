/* The check suites. ONCE: what they run is made by lathe's C compiler or is installed, and has
 * no sanitizers, so that the sanitized test program leaves them out unless they are named. */
#ifndef LATHE_SUITES_H
#define LATHE_SUITES_H

#include <check.h>

#define SUITES(BOTH, ONCE)                                                               \
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
    BOTH(hostile)                                                                        \
    BOTH(image_files)                                                                    \
    BOTH(images)                                                                         \
    BOTH(import)                                                                         \
    BOTH(import_keras)                                                                   \
    BOTH(import_names)                                                                   \
    BOTH(inspect)                                                                        \
    BOTH(interrupt)                                                                      \
    BOTH(jit)                                                                            \
    BOTH(jpeg)                                                                           \
    ONCE(kernels)                                                                        \
    ONCE(kill)                                                                           \
    BOTH(library)                                                                        \
    BOTH(loader)                                                                         \
    BOTH(loss)                                                                           \
    ONCE(machine)                                                                        \
    BOTH(matmul)                                                                         \
    BOTH(mix)                                                                            \
    ONCE(mpi)                                                                            \
    ONCE(network)                                                                        \
    BOTH(optim)                                                                          \
    BOTH(outside)                                                                        \
    BOTH(pack)                                                                           \
    BOTH(page)                                                                           \
    BOTH(passes)                                                                         \
    BOTH(pickle)                                                                         \
    BOTH(picture)                                                                        \
    ONCE(places)                                                                         \
    BOTH(plan)                                                                           \
    BOTH(predict)                                                                        \
    BOTH(profile)                                                                        \
    ONCE(projects)                                                                       \
    BOTH(prompt)                                                                         \
    BOTH(ptq)                                                                            \
    ONCE(published)                                                                      \
    BOTH(quant_budget)                                                                   \
    ONCE(quant_integer)                                                                  \
    BOTH(quant_numbers)                                                                  \
    BOTH(quant_ranges)                                                                   \
    BOTH(quant_requant)                                                                  \
    BOTH(quant_ship)                                                                     \
    ONCE(quant_train)                                                                    \
    BOTH(records)                                                                        \
    BOTH(repl)                                                                           \
    BOTH(sweep)                                                                          \
    ONCE(resume)                                                                         \
    ONCE(runs)                                                                           \
    ONCE(seeds)                                                                          \
    ONCE(shipped)                                                                        \
    ONCE(stack)                                                                          \
    ONCE(statistics)                                                                     \
    ONCE(streams)                                                                        \
    ONCE(teach)                                                                          \
    ONCE(trainer)                                                                        \
    BOTH(trivial)                                                                        \
    ONCE(verify)                                                                         \
    BOTH(weights)                                                                        \
    ONCE(winograd)                                                                       \
    ONCE(winograd_codes)

#define SUITE(name) Suite *name##_suite(void);
SUITES(SUITE, SUITE)
#undef SUITE

#endif
