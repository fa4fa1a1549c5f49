#!/usr/bin/perl
# Reads a TensorBoard event file with other people's decoders, Digest::CRC and protoc. Prints
# a line for each scalar: step, wall time, tag, value. Dies at the first record that is wrong.
use strict;
use warnings;
no warnings 'portable'; # of 64-bit numbers
use Digest::CRC;
use IPC::Open2;

sub check {
    my $crc = Digest::CRC->new(width => 32, init => 0xffffffff, xorout => 0xffffffff,
        poly => 0x1EDC6F41, refin => 1, refout => 1);
    my $sum = $crc->add($_[0])->digest;
    return (($sum >> 15 | $sum << 17) + 0xa282ead8) & 0xffffffff;
}

sub decode {
    my ($from, $to);
    my $id = open2($from, $to, 'protoc', '--decode_raw');
    binmode $to;
    print $to $_[0];
    close $to;
    my $text = join '', <$from>;
    waitpid $id, 0;
    die "protoc fails\n" if $?;
    return $text;
}

open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
my $records = 0;
while (read($file, my $head, 12)) {
    my ($length, $sum) = unpack 'Q<L<', $head;
    die "record $records: length\n" if length $head < 12 || $sum != check(substr $head, 0, 8);
    die "record $records: cut off\n" if read($file, my $event, $length) != $length;
    die "record $records: cut off\n" if read($file, my $tail, 4) != 4;
    die "record $records: data\n" if check($event) != unpack 'L<', $tail;
    my $text = decode($event);
    my ($wall) = $text =~ /^1: (0x[0-9a-f]+)$/m;
    $wall = unpack 'd', pack 'Q', hex $wall;
    if ($records++ == 0) {
        die "no version in $text\n" if $text !~ /^3: "brain.Event:2"$/m;
        next;
    }
    my ($step) = $text =~ /^2: (\d+)$/m;
    while ($text =~ /^  1 \{\n    1: "(.*)"\n    2: (0x[0-9a-f]+)\n  \}$/mg) {
        printf "%d %.2f %s %.6g\n", $step, $wall, $1, unpack 'f', pack 'L', hex $2;
    }
}
