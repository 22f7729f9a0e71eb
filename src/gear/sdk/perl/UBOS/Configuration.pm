# The older name of the variables.

package UBOS::Configuration;

use strict;
use warnings;

use parent qw( UBOS::Variables );

1;
