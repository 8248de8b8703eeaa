// A convolution layer with batch normalisation: 3x3 convolution, L1BN over the batch, ReLU, 8 bits.
//
//   pixels --> image_buffer --> window --> convolution --> normaliser --> requantise --> outputs
//              once a channel               a kernel a      gamma, beta
//                                           channel
//
// One pixel in, IMAGES * HEIGHT * WIDTH of them a batch; the outputs of one channel after the other, each as many,
// the final one of a channel with o_last. Pixels are signed with 7 fraction bits, as weights are; outputs are
// unsigned numbers of 7 bits with 12 - SHIFT fraction bits. Images are padded with zeros.
//
// A stream moves an item in a cycle in which valid and ready are both 1. Weights are written when no batch is under
// way; number 9 * channel + 3 * row + column.
module accelerator #(
    parameter WIDTH = 8,        // powers of two; IMAGES * HEIGHT * WIDTH is the count of the normaliser
    parameter HEIGHT = 8,
    parameter IMAGES = 16,
    parameter COLUMN = 3,       // log2 of WIDTH
    parameter ROW = 3,          // log2 of HEIGHT
    parameter BATCH = 10,       // log2 of IMAGES * HEIGHT * WIDTH
    parameter CHANNELS = 4,
    parameter CHANNEL = 2,      // bits of a channel's number
    parameter SHIFT = 8
) (
    input  wire        clk,
    input  wire        rst,                 // synchronous

    input  wire        weight_write,
    input  wire [CHANNEL-1:0] weight_channel,
    input  wire [3:0]  weight_tap,          // 3 * row + column
    input  wire [7:0]  weight,

    input  wire [7:0]  i_data,
    input  wire        i_valid,
    output wire        i_ready,

    input  wire [15:0] gamma,               // 13 fraction bits; with beta, one item a channel
    input  wire [15:0] beta,                // 12 fraction bits
    input  wire        affine_valid,
    output wire        affine_ready,

    output wire [7:0]  o_data,
    output wire        o_last,
    output wire        o_error,
    output wire        o_valid,
    input  wire        o_ready
);
    // -- weights: a kernel of nine for each channel ----------------------------------------------

    reg [71:0] kernels [0:CHANNELS-1];
    always @(posedge clk)
        if (weight_write)
            kernels[weight_channel][8*weight_tap +: 8] <= weight;

    // -- the batch, once a channel ---------------------------------------------------------------

    wire [7:0] pixel;
    wire [CHANNEL-1:0] pixel_channel;
    wire pixel_first, pixel_valid;
    wire map_valid, map_ready;
    wire advance = ~map_valid | map_ready;

    image_buffer #(
        .SIZE(IMAGES * HEIGHT * WIDTH), .ADDRESS(BATCH), .PADDING(WIDTH + 1),
        .CHANNELS(CHANNELS), .CHANNEL(CHANNEL)
    ) images (
        .clk(clk), .rst(rst),
        .i_data(i_data), .i_valid(i_valid), .i_ready(i_ready),
        .o_data(pixel), .o_channel(pixel_channel), .o_first(pixel_first),
        .o_valid(pixel_valid), .o_ready(advance)
    );

    // -- feature maps ----------------------------------------------------------------------------

    wire [71:0] taps;
    wire taps_valid;
    reg [71:0] kernel;                      // of the channel that taps belong to
    wire signed [18:0] map_data;
    reg [BATCH-1:0] map_position;
    wire map_last = &map_position;

    window #(.WIDTH(WIDTH), .COLUMN(COLUMN), .ROW(ROW)) windows (
        .clk(clk), .rst(rst), .advance(advance),
        .i_data(pixel), .i_first(pixel_first), .i_valid(pixel_valid),
        .o_data(taps), .o_valid(taps_valid)
    );

    always @(posedge clk)
        if (advance)
            kernel <= kernels[pixel_channel];

    convolution convolution (
        .clk(clk), .rst(rst), .advance(advance),
        .i_window(taps), .i_kernel(kernel), .i_valid(taps_valid),
        .o_data(map_data), .o_valid(map_valid)
    );

    always @(posedge clk)
        if (rst)
            map_position <= 0;
        else if (map_valid & map_ready)
            map_position <= map_position + 1'b1;

    // -- normalisation ---------------------------------------------------------------------------

    wire [15:0] y;
    wire y_last, y_error, y_valid, y_ready;

    normaliser normaliser (
        .clk(clk), .rst(rst),
        .i__payload({map_last, map_data}), .i__valid(map_valid), .i__ready(map_ready),
        .i_affine__payload({beta, gamma}), .i_affine__valid(affine_valid), .i_affine__ready(affine_ready),
        .o__payload({y_error, y_last, y}), .o__valid(y_valid), .o__ready(y_ready),
        /* verilator lint_off PINCONNECTEMPTY */
        .o_stats__payload(), .o_stats__valid(), .o_stats__ready(1'b1)
        /* verilator lint_on PINCONNECTEMPTY */
    );

    // -- 8 bits again ----------------------------------------------------------------------------

    requantise #(.SHIFT(SHIFT)) requantise (
        .clk(clk), .rst(rst),
        .i_data(y), .i_last(y_last), .i_error(y_error), .i_valid(y_valid), .i_ready(y_ready),
        .o_data(o_data), .o_last(o_last), .o_error(o_error), .o_valid(o_valid), .o_ready(o_ready)
    );
endmodule
