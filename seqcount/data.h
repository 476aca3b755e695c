/* SPDX-License-Identifier: MIT */
/*
 * Data that a sequence counter protects: reading and writing them without a data
 * race.  Part of <seqcount/seqcount.h> and of <seqcount/latch.h>; it may be
 * included by itself.
 *
 * Readers and a writer meet without a lock, so both sides go through what is
 * here, which is made of relaxed atomic accesses: seqcount_load() and
 * seqcount_store() for any trivially copyable object, seqcount_get() and
 * seqcount_set() for one field.  A field may be accessed plainly by
 *	- the writer, to read it: nobody else changes it;
 *	- anyone who holds the lock that excludes the writers, to read it;
 *	- everybody, when it does not change while readers may be about.
 * Any other plain access is a data race, also where the reader throws away what
 * it read: the compiler may read twice, and find two values.
 */
#ifndef SEQCOUNT_DATA_H
#define SEQCOUNT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define SEQCOUNT_TSAN_ 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEQCOUNT_TSAN_ 1
#endif
#endif

#if defined(SEQCOUNT_TSAN_) || defined(__SANITIZE_ADDRESS__)
#define SEQCOUNT_SANITIZED_ 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SEQCOUNT_SANITIZED_ 1
#endif
#endif

/*
 * TSan knows no fences.  Under it each store of the data is a release and each
 * load of them an acquire, which is as right and only slower: a load that gets a
 * later write's value synchronises with that store, so the odd value stored
 * before it happens before the second look that follows the load.
 */
#ifdef SEQCOUNT_TSAN_
#define SEQCOUNT_DATA_LOAD_    __ATOMIC_ACQUIRE
#define SEQCOUNT_DATA_STORE_   __ATOMIC_RELEASE
#define seqcount_fence_(order) ((void)0)
#else
#define SEQCOUNT_DATA_LOAD_    __ATOMIC_RELAXED
#define SEQCOUNT_DATA_STORE_   __ATOMIC_RELAXED
#define seqcount_fence_(order) __atomic_thread_fence(order)
#endif

#define SEQCOUNT_INLINE_  static inline __attribute__((always_inline))
#define SEQCOUNT_OUTLINE_ static __attribute__((noinline, cold, unused))

/*
 * The copy helpers move the shared object by aligned words, and what is left at
 * its ends by smaller pieces.  Each piece is one instruction; one need not be
 * consistent with the next, since the sequence tells about them all.  The
 * private object has any alignment.
 */
#define SEQCOUNT_PIECE_(name, type)                                                             \
	typedef type name##_t_ __attribute__((may_alias));                                      \
                                                                                                \
	SEQCOUNT_INLINE_ void name##_(char *to, const char *from, bool load)                    \
	{                                                                                       \
		type piece;                                                                     \
                                                                                                \
		if (load) {                                                                     \
			piece = __atomic_load_n(                                                \
				(const name##_t_ *)(const void *)from, SEQCOUNT_DATA_LOAD_);    \
			__builtin_memcpy(to, &piece, sizeof(piece));                            \
		} else {                                                                        \
			__builtin_memcpy(&piece, from, sizeof(piece));                          \
			__atomic_store_n((name##_t_ *)(void *)to, piece, SEQCOUNT_DATA_STORE_); \
		}                                                                               \
	}

SEQCOUNT_PIECE_(seqcount_word, uintptr_t)
SEQCOUNT_PIECE_(seqcount_u32, uint32_t)
SEQCOUNT_PIECE_(seqcount_u16, uint16_t)
SEQCOUNT_PIECE_(seqcount_u8, uint8_t)

#define SEQCOUNT_WORD_ sizeof(uintptr_t)

SEQCOUNT_INLINE_ void seqcount_words1_(char *to, const char *from, size_t at, bool load)
{
	seqcount_word_(to + at, from + at, load);
}

#define SEQCOUNT_TWICE_(twice, once, words)                                           \
	SEQCOUNT_INLINE_ void twice(char *to, const char *from, size_t at, bool load) \
	{                                                                             \
		once(to, from, at, load);                                             \
		once(to, from, at + (words)*SEQCOUNT_WORD_, load);                    \
	}

/*
 * Where the machine moves 16 bytes in one instruction, loads of four words and
 * stores of two are made of that, or else a plain copy would cost less.  The
 * instruction is an asm, in which the compiler sees no access to race with, and a
 * sanitizer none at all, so that it gets words; as does x32, where words are of 4.
 */
#if defined(__x86_64__) && defined(__LP64__) && defined(__SSE2__) && !defined(SEQCOUNT_SANITIZED_)
#ifdef __AVX__
#define SEQCOUNT_MOVE_ "vmovups"
#else
#define SEQCOUNT_MOVE_ "movups"
#endif

typedef long long seqcount_wide_t_ __attribute__((vector_size(16), aligned(1), may_alias));

SEQCOUNT_INLINE_ void seqcount_load_wide_(char *to, const char *from)
{
	const seqcount_wide_t_ *shared = (const seqcount_wide_t_ *)(const void *)from;
	seqcount_wide_t_ piece;

	__asm__ volatile(SEQCOUNT_MOVE_ " {%1, %0|%0, %1}" : "=x"(piece) : "m"(*shared));
	__builtin_memcpy(to, &piece, sizeof(piece));
}

/*
 * The piece is put together from words, which may still be in registers: a wide
 * load would have to wait until the stores of both words are done.
 */
SEQCOUNT_INLINE_ void seqcount_store_wide_(char *to, const char *from)
{
	seqcount_wide_t_ *shared = (seqcount_wide_t_ *)(void *)to;
	long long first, second;

	__builtin_memcpy(&first, from, sizeof(first));
	__builtin_memcpy(&second, from + sizeof(first), sizeof(second));
	seqcount_wide_t_ piece = {first, second};
	__asm__ volatile(SEQCOUNT_MOVE_ " {%1, %0|%0, %1}" : "=m"(*shared) : "x"(piece));
}

SEQCOUNT_INLINE_ void seqcount_words2_(char *to, const char *from, size_t at, bool load)
{
	if (load) {
		seqcount_words1_(to, from, at, load);
		seqcount_words1_(to, from, at + SEQCOUNT_WORD_, load);
	} else {
		seqcount_store_wide_(to + at, from + at);
	}
}

SEQCOUNT_INLINE_ void seqcount_words4_(char *to, const char *from, size_t at, bool load)
{
	if (load) {
		seqcount_load_wide_(to + at, from + at);
		seqcount_load_wide_(to + at + 16, from + at + 16);
	} else {
		seqcount_words2_(to, from, at, load);
		seqcount_words2_(to, from, at + 16, load);
	}
}
#else
SEQCOUNT_TWICE_(seqcount_words2_, seqcount_words1_, 1)
SEQCOUNT_TWICE_(seqcount_words4_, seqcount_words2_, 2)
#endif

SEQCOUNT_TWICE_(seqcount_words8_, seqcount_words4_, 4)
SEQCOUNT_TWICE_(seqcount_words16_, seqcount_words8_, 8)
SEQCOUNT_TWICE_(seqcount_words32_, seqcount_words16_, 16)

/*
 * The shared side, @from when @load, is aligned to a word.  A size that is known
 * when compiling, and is below 64 words, leaves no branch: the private object
 * need not be in memory then.
 */
SEQCOUNT_INLINE_ void seqcount_copy_aligned_(char *to, const char *from, size_t n, bool load)
{
	size_t at = 0;

	if (__builtin_constant_p(n)) {
		for (; n - at >= 32 * SEQCOUNT_WORD_; at += 32 * SEQCOUNT_WORD_)
			seqcount_words32_(to, from, at, load);
		if ((n & (16 * SEQCOUNT_WORD_)) != 0) {
			seqcount_words16_(to, from, at, load);
			at += 16 * SEQCOUNT_WORD_;
		}
		if ((n & (8 * SEQCOUNT_WORD_)) != 0) {
			seqcount_words8_(to, from, at, load);
			at += 8 * SEQCOUNT_WORD_;
		}
	}
	for (; n - at >= 4 * SEQCOUNT_WORD_; at += 4 * SEQCOUNT_WORD_)
		seqcount_words4_(to, from, at, load);
	if ((n & (2 * SEQCOUNT_WORD_)) != 0) {
		seqcount_words2_(to, from, at, load);
		at += 2 * SEQCOUNT_WORD_;
	}
	if ((n & SEQCOUNT_WORD_) != 0) {
		seqcount_word_(to + at, from + at, load);
		at += SEQCOUNT_WORD_;
	}
	if (SEQCOUNT_WORD_ > 4 && (n & 4) != 0) {
		seqcount_u32_(to + at, from + at, load);
		at += 4;
	}
	if ((n & 2) != 0) {
		seqcount_u16_(to + at, from + at, load);
		at += 2;
	}
	if ((n & 1) != 0)
		seqcount_u8_(to + at, from + at, load);
}

/* The same for a shared side of any alignment. */
SEQCOUNT_INLINE_ void seqcount_copy_(char *to, const char *from, size_t n, bool load)
{
	size_t head = -(load ? (uintptr_t)from : (uintptr_t)to) % SEQCOUNT_WORD_;

	for (; head != 0 && n != 0; head--, n--)
		seqcount_u8_(to++, from++, load);
	seqcount_copy_aligned_(to, from, n, load);
}

SEQCOUNT_OUTLINE_ void seqcount_load_any_(void *dst, const void *src, size_t n)
{
	seqcount_copy_((char *)dst, (const char *)src, n, true);
}

SEQCOUNT_OUTLINE_ void seqcount_store_any_(void *dst, const void *src, size_t n)
{
	seqcount_copy_((char *)dst, (const char *)src, n, false);
}

SEQCOUNT_INLINE_ void seqcount_load_(void *dst, const void *src, size_t n, size_t align)
{
	if (align >= SEQCOUNT_WORD_ || (uintptr_t)src % SEQCOUNT_WORD_ == 0)
		seqcount_copy_aligned_((char *)dst, (const char *)src, n, true);
	else
		seqcount_load_any_(dst, src, n);
}

SEQCOUNT_INLINE_ void seqcount_store_(void *dst, const void *src, size_t n, size_t align)
{
	if (align >= SEQCOUNT_WORD_ || (uintptr_t)dst % SEQCOUNT_WORD_ == 0)
		seqcount_copy_aligned_((char *)dst, (const char *)src, n, false);
	else
		seqcount_store_any_(dst, src, n);
}

/*
 * The alignment that a pointer's type promises; 1 for a pointer to void.  @p is
 * not evaluated.  To test the address of every object instead would make a read
 * of 16 bytes cost half as much again.
 */
#ifdef __cplusplus
extern "C++" {
template <typename T>
struct seqcount_shared_ {
	static_assert(__is_trivially_copyable(T), "not trivially copyable");
	char aligned[alignof(T)];
};
template <typename T>
seqcount_shared_<T> seqcount_align_(const T *);
seqcount_shared_<char> seqcount_align_(const void *);
}
#define SEQCOUNT_ALIGN_(p) sizeof(seqcount_align_(p))
#else
#define SEQCOUNT_ALIGN_(p) \
	__alignof__(*_Generic((p), void *: (char *)0, const void *: (const char *)0, default: (p)))
#endif

/**
 * seqcount_load - copy shared data into a private object
 * @dst: the private object
 * @src: the shared data: aligned as the pointer's type says, so that data of any
 * alignment are given as a pointer to void or char
 * @n: bytes
 *
 * For readers, between begin and retry.  Free of data races with
 * seqcount_store(); the copy may be a mixture of old and new until
 * read_seqcount_retry() says otherwise.  With a constant @n and a type of at
 * least a word's alignment it is a few moves, inline.
 *
 * Context: any, signal handlers included.
 * Ordering: none of its own, see read_seqcount_retry().
 * Origin: Linux reads the data plainly or by READ_ONCE() here.
 */
#define seqcount_load(dst, src, n) seqcount_load_((dst), (src), (n), SEQCOUNT_ALIGN_(src))

/**
 * seqcount_store - copy a private object into shared data
 * @dst: the shared data, with the alignment of @src in seqcount_load()
 * @src: the private object
 * @n: bytes
 *
 * For writers, between write_seqcount_begin() and write_seqcount_end().
 *
 * Context: as write_seqcount_begin().
 * Ordering: none of its own, see write_seqcount_begin().
 * Origin: Linux writes the data plainly or by WRITE_ONCE() here.
 */
#define seqcount_store(dst, src, n) seqcount_store_((dst), (src), (n), SEQCOUNT_ALIGN_(dst))

/* A variable of its own for each use, so that one may stand inside another. */
#define SEQCOUNT_PASTE2_(a, b) a##b
#define SEQCOUNT_PASTE_(a, b)  SEQCOUNT_PASTE2_(a, b)
#define SEQCOUNT_NAME_         SEQCOUNT_PASTE_(seqcount_value_, __COUNTER__)

/*
 * Loads and stores of one and of two bytes are one access on any machine, also where
 * gcc has a library do what reads and writes at once.
 */
#define SEQCOUNT_ONE_ACCESS_(n) ((n) == 1 || (n) == 2 || __atomic_always_lock_free(n, 0))

#ifdef __cplusplus
extern "C++" {
template <typename T>
SEQCOUNT_INLINE_ T seqcount_get_(const volatile T *p)
{
	static_assert(__is_trivially_copyable(T), "not trivially copyable");
	static_assert(SEQCOUNT_ONE_ACCESS_(sizeof(T)), "not one access");
	T value;

	__atomic_load(p, &value, SEQCOUNT_DATA_LOAD_);
	return value;
}

template <typename T>
struct seqcount_type_ {
	typedef T type;
};

template <typename T>
SEQCOUNT_INLINE_ void seqcount_set_(volatile T *p, typename seqcount_type_<T>::type value)
{
	static_assert(__is_trivially_copyable(T), "not trivially copyable");
	static_assert(SEQCOUNT_ONE_ACCESS_(sizeof(T)), "not one access");
	__atomic_store(p, &value, SEQCOUNT_DATA_STORE_);
}
}
#define SEQCOUNT_GET_(field)        seqcount_get_(&(field))
#define SEQCOUNT_SET_(field, value) seqcount_set_(&(field), (value))
#else
#define SEQCOUNT_GET_(field)        SEQCOUNT_GET2_(field, SEQCOUNT_NAME_)
#define SEQCOUNT_SET_(field, value) SEQCOUNT_SET2_(field, value, SEQCOUNT_NAME_)
/* The comma takes const and volatile off the type. */
#define SEQCOUNT_GET2_(field, name)                                                   \
	__extension__({                                                               \
		__typeof__(((void)0, (field))) name;                                  \
		_Static_assert(SEQCOUNT_ONE_ACCESS_(sizeof(name)), "not one access"); \
		__atomic_load(&(field), &name, SEQCOUNT_DATA_LOAD_);                  \
		name;                                                                 \
	})
#define SEQCOUNT_SET2_(field, value, name)                                            \
	__extension__({                                                               \
		__typeof__(((void)0, (field))) name = (value);                        \
		_Static_assert(SEQCOUNT_ONE_ACCESS_(sizeof(name)), "not one access"); \
		__atomic_store(&(field), &name, SEQCOUNT_DATA_STORE_);                \
		(void)0;                                                              \
	})
#endif

/**
 * seqcount_get - read one shared field
 * @field: an lvalue of an arithmetic or pointer type, or any other that the
 * machine reads in one access; not a bit-field
 *
 * For readers, as seqcount_load().
 *
 * Context: any, signal handlers included.
 * Ordering: none of its own, see read_seqcount_retry().
 * Return: the value, of the field's type.
 * Origin: Linux has READ_ONCE() for this.
 */
#define seqcount_get(field) SEQCOUNT_GET_(field)

/**
 * seqcount_set - write one shared field
 * @field: as for seqcount_get()
 * @value: what is written, converted to the field's type
 *
 * For writers, as seqcount_store().
 *
 * Context: as write_seqcount_begin().
 * Ordering: none of its own, see write_seqcount_begin().
 * Origin: Linux has WRITE_ONCE() for this.
 */
#define seqcount_set(field, value) SEQCOUNT_SET_(field, value)

#endif /* SEQCOUNT_DATA_H */
