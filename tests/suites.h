/* The check suites, one per module; the test program runs them all. */
#ifndef LATHE_SUITES_H
#define LATHE_SUITES_H

#include <check.h>

#define SUITES(X)                                                                        \
    X(augment)                                                                           \
    X(boards)                                                                            \
    X(cache)                                                                             \
    X(checkpoint)                                                                        \
    X(class_names)                                                                       \
    X(cmd_data)                                                                          \
    X(colour)                                                                            \
    X(command)                                                                           \
    X(compare)                                                                           \
    X(config)                                                                            \
    X(data)                                                                              \
    X(emit_options)                                                                      \
    X(equalise)                                                                          \
    X(events)                                                                            \
    X(groups)                                                                            \
    X(hostile)                                                                           \
    X(image_files)                                                                       \
    X(images)                                                                            \
    X(import)                                                                            \
    X(import_keras)                                                                      \
    X(import_names)                                                                      \
    X(inspect)                                                                           \
    X(interrupt)                                                                         \
    X(jit)                                                                               \
    X(jpeg)                                                                              \
    X(kernels)                                                                           \
    X(kill)                                                                              \
    X(library)                                                                           \
    X(loader)                                                                            \
    X(loss)                                                                              \
    X(machine)                                                                           \
    X(matmul)                                                                            \
    X(mix)                                                                               \
    X(mpi)                                                                               \
    X(network)                                                                           \
    X(optim)                                                                             \
    X(outside)                                                                           \
    X(pack)                                                                              \
    X(page)                                                                              \
    X(passes)                                                                            \
    X(pickle)                                                                            \
    X(picture)                                                                           \
    X(places)                                                                            \
    X(plan)                                                                              \
    X(predict)                                                                           \
    X(profile)                                                                           \
    X(projects)                                                                          \
    X(prompt)                                                                            \
    X(ptq)                                                                               \
    X(published)                                                                         \
    X(quant_budget)                                                                      \
    X(quant_integer)                                                                     \
    X(quant_numbers)                                                                     \
    X(quant_ranges)                                                                      \
    X(quant_requant)                                                                     \
    X(quant_ship)                                                                        \
    X(quant_train)                                                                       \
    X(records)                                                                           \
    X(repl)                                                                              \
    X(resume)                                                                            \
    X(runs)                                                                              \
    X(seeds)                                                                             \
    X(shipped)                                                                           \
    X(stack)                                                                             \
    X(streams)                                                                           \
    X(teach)                                                                             \
    X(trainer)                                                                           \
    X(verify)                                                                            \
    X(weights)                                                                           \
    X(winograd)                                                                          \
    X(winograd_codes)

#define SUITE(name) Suite *name##_suite(void);
SUITES(SUITE)
#undef SUITE

#endif
