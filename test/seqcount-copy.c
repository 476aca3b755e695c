/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of seqcount_load() and seqcount_store(): every size and alignment,
 * compared with memcpy(), and the sizes that compilers expand inline; and of
 * seqcount_get() and seqcount_set().
 */
#include "test/seqcount-test.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <seqcount/seqcount.h>

#define SIZES      80
#define ALIGNMENTS 16
#define ROOM       (SIZES + 2 * ALIGNMENTS)

struct record {
	uint64_t field[80];
};

/* A type of less than a word's alignment. */
struct halves {
	uint32_t field[5];
};

static void fill(void *p, size_t n, unsigned int seed)
{
	unsigned char *bytes = p;
	size_t i;

	for (i = 0; i < n; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (unsigned char)(seed >> 16);
	}
}

/* The byte before and the byte behind the copy must survive as well. */
static void check_pair(size_t n, size_t to, size_t from)
{
	_Alignas(ALIGNMENTS) unsigned char src[ROOM];
	_Alignas(ALIGNMENTS) unsigned char dst[ROOM];
	unsigned char expected[ROOM];

	fill(src, sizeof(src), (unsigned int)n);
	fill(expected, sizeof(expected), 77);
	memcpy(expected + to, src + from, n);

	fill(dst, sizeof(dst), 77);
	seqcount_load(dst + to, src + from, n);
	ck_assert_mem_eq(dst, expected, sizeof(dst));

	fill(dst, sizeof(dst), 77);
	seqcount_store(dst + to, src + from, n);
	ck_assert_mem_eq(dst, expected, sizeof(dst));
}

START_TEST(every_size_and_alignment)
{
	size_t n = (size_t)_i;
	size_t to;
	size_t from;

	for (to = 1; to <= ALIGNMENTS; to++) {
		for (from = 0; from < ALIGNMENTS; from++)
			check_pair(n, to, from);
	}
}
END_TEST

/* Blocks of exactly the size, so that a sanitizer sees an access beyond them. */
START_TEST(stays_within_the_object)
{
	size_t n = (size_t)_i + 1;
	unsigned char *src = malloc(n);
	unsigned char *dst = malloc(n);

	ck_assert(src != NULL && dst != NULL);
	fill(src, n, 1);
	seqcount_load(dst, src, n);
	ck_assert_mem_eq(dst, src, n);
	fill(src, n, 2);
	seqcount_store(dst, src, n);
	ck_assert_mem_eq(dst, src, n);
	free(src);
	free(dst);
}
END_TEST

#define CHECK_CONSTANT(size)                                    \
	do {                                                    \
		fill(&expected, sizeof(expected), 77);          \
		memcpy(&expected, &src, size);                  \
		fill(&dst, sizeof(dst), 77);                    \
		seqcount_load(&dst, &src, size);                \
		ck_assert_mem_eq(&dst, &expected, sizeof(dst)); \
		fill(&dst, sizeof(dst), 77);                    \
		seqcount_store(&dst, &src, size);               \
		ck_assert_mem_eq(&dst, &expected, sizeof(dst)); \
	} while (0)

START_TEST(constant_sizes_of_an_aligned_type)
{
	struct record src;
	struct record dst;
	struct record expected;

	fill(&src, sizeof(src), 5);
	CHECK_CONSTANT(1);
	CHECK_CONSTANT(2);
	CHECK_CONSTANT(4);
	CHECK_CONSTANT(8);
	CHECK_CONSTANT(12);
	CHECK_CONSTANT(15);
	CHECK_CONSTANT(16);
	CHECK_CONSTANT(24);
	CHECK_CONSTANT(32);
	CHECK_CONSTANT(40);
	CHECK_CONSTANT(47);
	CHECK_CONSTANT(64);
	CHECK_CONSTANT(127);
	CHECK_CONSTANT(128);
	CHECK_CONSTANT(248);
	CHECK_CONSTANT(256);
	CHECK_CONSTANT(511);
	CHECK_CONSTANT(640);
}
END_TEST

START_TEST(type_below_word_alignment)
{
	struct {
		uint32_t shift;
		struct halves odd;
	} src, dst;

	fill(&src, sizeof(src), 9);
	memset(&dst, 0, sizeof(dst));
	seqcount_load(&dst.odd, &src.odd, sizeof(dst.odd));
	ck_assert_mem_eq(&dst.odd, &src.odd, sizeof(dst.odd));
	memset(&dst, 0, sizeof(dst));
	seqcount_store(&dst.odd, &src.odd, sizeof(dst.odd));
	ck_assert_mem_eq(&dst.odd, &src.odd, sizeof(dst.odd));
	ck_assert_uint_eq(dst.shift, 0);
}
END_TEST

START_TEST(pointers_to_void_and_const)
{
	const struct record src = {{1, 2, 3}};
	const void *from = &src;
	struct record dst = {{0}};
	void *to = &dst;

	seqcount_load(to, from, sizeof(src));
	ck_assert_mem_eq(&dst, &src, sizeof(src));
	memset(&dst, 0, sizeof(dst));
	seqcount_store(to, from, sizeof(src));
	ck_assert_mem_eq(&dst, &src, sizeof(src));
	memset(&dst, 0, sizeof(dst));
	seqcount_load(&dst, &src, sizeof(src));
	ck_assert_mem_eq(&dst, &src, sizeof(src));
}
END_TEST

START_TEST(arguments_are_evaluated_once)
{
	struct record a[2] = {{{1}}, {{2}}};
	struct record b[2];
	struct record *from = a;
	struct record *to = b;

	seqcount_load(to++, from++, sizeof(a[0]));
	ck_assert_ptr_eq(from, &a[1]);
	ck_assert_ptr_eq(to, &b[1]);
	seqcount_store(to++, from++, sizeof(a[0]));
	ck_assert_ptr_eq(from, &a[2]);
	ck_assert_ptr_eq(to, &b[2]);
	ck_assert_mem_eq(a, b, sizeof(a));
}
END_TEST

enum colour { RED, GREEN };

/* Fields of every type that is one access, shared and const as well. */
struct fields {
	bool flag;
	signed char small;
	uint16_t port;
	int number;
	uint64_t stamp;
	float ratio;
	double mean;
	const char *text;
	enum colour colour;
	struct halves *link;
	volatile long changing;
};

START_TEST(single_fields)
{
	struct halves link;
	struct fields f;
	const struct fields *shared = &f;

	memset(&f, 0xff, sizeof(f));
	seqcount_set(f.flag, true);
	seqcount_set(f.small, -3);
	seqcount_set(f.port, 65535);
	seqcount_set(f.number, -70000);
	seqcount_set(f.stamp, UINT64_MAX - 1);
	seqcount_set(f.ratio, 0.5f);
	seqcount_set(f.mean, -1e300);
	seqcount_set(f.text, "text");
	seqcount_set(f.colour, GREEN);
	seqcount_set(f.link, &link);
	seqcount_set(f.changing, 12);
	ck_assert(seqcount_get(shared->flag));
	ck_assert_int_eq(seqcount_get(shared->small), -3);
	ck_assert_uint_eq(seqcount_get(shared->port), 65535);
	ck_assert_int_eq(seqcount_get(shared->number), -70000);
	ck_assert_uint_eq(seqcount_get(shared->stamp), UINT64_MAX - 1);
	ck_assert(seqcount_get(shared->ratio) >= 0.5f && f.ratio <= 0.5f);
	ck_assert(seqcount_get(shared->mean) <= -1e300 && f.mean >= -1e300);
	ck_assert_str_eq(seqcount_get(shared->text), "text");
	ck_assert_int_eq(seqcount_get(shared->colour), GREEN);
	ck_assert_ptr_eq(seqcount_get(shared->link), &link);
	ck_assert_int_eq(seqcount_get(shared->changing), 12);
}
END_TEST

/* Neighbours stay as they are, one use may stand in another, and arguments count once. */
START_TEST(fields_of_an_array)
{
	uint16_t a[4] = {1, 2, 3, 0};
	uint16_t *p = a;

	ck_assert_uint_eq(seqcount_get(*p++), 1);
	seqcount_set(*p++, 7);
	ck_assert_ptr_eq(p, &a[2]);
	seqcount_set(a[seqcount_get(a[3])], seqcount_get(a[seqcount_get(a[0])]));
	ck_assert_uint_eq(a[0], 7);
	ck_assert_uint_eq(a[1], 7);
	ck_assert_uint_eq(a[2], 3);
	ck_assert_uint_eq(a[3], 0);
}
END_TEST

TCase *seqcount_copy_case(void)
{
	TCase *tc = tcase_create("copy");

	tcase_add_loop_test(tc, every_size_and_alignment, 0, SIZES);
	tcase_add_loop_test(tc, stays_within_the_object, 0, SIZES);
	tcase_add_test(tc, constant_sizes_of_an_aligned_type);
	tcase_add_test(tc, type_below_word_alignment);
	tcase_add_test(tc, pointers_to_void_and_const);
	tcase_add_test(tc, arguments_are_evaluated_once);
	tcase_add_test(tc, single_fields);
	tcase_add_test(tc, fields_of_an_array);
	return tc;
}
