/* The check suites, one per module; the test program runs them all. */
#ifndef LATHE_SUITES_H
#define LATHE_SUITES_H

#include <check.h>

Suite *augment_suite(void);
Suite *cache_suite(void);
Suite *checkpoint_suite(void);
Suite *cmd_data_suite(void);
Suite *command_suite(void);
Suite *compare_suite(void);
Suite *config_suite(void);
Suite *data_suite(void);
Suite *events_suite(void);
Suite *hostile_suite(void);
Suite *images_suite(void);
Suite *import_suite(void);
Suite *import_names_suite(void);
Suite *interrupt_suite(void);
Suite *jpeg_suite(void);
Suite *jit_suite(void);
Suite *kernels_suite(void);
Suite *machine_suite(void);
Suite *verify_suite(void);
Suite *kill_suite(void);
Suite *network_suite(void);
Suite *inspect_suite(void);
Suite *library_suite(void);
Suite *optim_suite(void);
Suite *outside_suite(void);
Suite *page_suite(void);
Suite *passes_suite(void);
Suite *pickle_suite(void);
Suite *picture_suite(void);
Suite *places_suite(void);
Suite *plan_suite(void);
Suite *predict_suite(void);
Suite *profile_suite(void);
Suite *prompt_suite(void);
Suite *ptq_suite(void);
Suite *published_suite(void);
Suite *quant_budget_suite(void);
Suite *quant_integer_suite(void);
Suite *quant_numbers_suite(void);
Suite *quant_ranges_suite(void);
Suite *quant_requant_suite(void);
Suite *quant_ship_suite(void);
Suite *quant_train_suite(void);
Suite *repl_suite(void);
Suite *resume_suite(void);
Suite *runs_suite(void);
Suite *shipped_suite(void);
Suite *streams_suite(void);
Suite *trainer_suite(void);
Suite *weights_suite(void);

#endif
