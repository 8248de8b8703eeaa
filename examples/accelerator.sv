// The unit of normaliser.toml behind plain ports: four samples of 8 bits a beat, 256 or 1024 samples a channel.
//
// Every stream moves an item in a cycle in which valid and ready are both 1. A source holds valid and payload
// until then; a sink may lower ready whenever it likes, and nothing is lost.
module accelerator (
    input  logic        clk,
    input  logic        rst,

    input  logic [31:0] x,            // four samples, the first in bits 7:0
    input  logic        x_last,       // the final beat of the channel
    input  logic        x_select,     // 0: 256 samples, 1: 1024 samples; counts with the first beat
    input  logic        x_valid,
    output logic        x_ready,

    input  logic [15:0] gamma,        // 13 fraction bits, one per channel
    input  logic [7:0]  beta,         // in the format of y, one per channel
    input  logic        affine_valid,
    output logic        affine_ready,

    output logic [31:0] y,
    output logic        y_last,
    output logic        y_error,      // with y_last: the channel's packet had the wrong length
    output logic        y_valid,
    input  logic        y_ready
);
    normaliser normaliser (
        .clk, .rst,
        .i__payload         ({x_select, x_last, x}),
        .i__valid           (x_valid),
        .i__ready           (x_ready),
        .i_affine__payload  ({beta, gamma}),
        .i_affine__valid    (affine_valid),
        .i_affine__ready    (affine_ready),
        .o__payload         ({y_error, y_last, y}),
        .o__valid           (y_valid),
        .o__ready           (y_ready),
        .o_stats__payload   (),       // not needed here, but taken: a stream that nobody reads stops the unit
        .o_stats__valid     (),
        .o_stats__ready     (1'b1)
    );
endmodule
